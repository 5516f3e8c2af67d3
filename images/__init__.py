"""Guest images, built in seconds from distribution packages, without root and without a loop mount.

Primitives: a `Recipe` is the value that describes an image (packages, files, modules, overlays, sizes); a
`Tree` is a file system held in memory (path to `File`, `Link` or `Folder`); `build` turns a recipe into a
qcow2 file. Reading packages, choosing libraries and modules, and writing archives are pure functions between
trees; only `apt`, `filesystems`, `disk` and `build` touch the world, through the one `run` of `command`.

The same recipe, package versions and host tools give the same bytes.
"""
