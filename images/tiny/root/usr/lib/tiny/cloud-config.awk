# Reads the part of YAML that seeds are written in, and writes one file per key below `out`:
# a scalar as one line, a list as one line per item, runcmd as a shell script. What it does not
# understand it names on standard output, and goes on.
#
#   awk -v out=FOLDER -f cloud-config.awk FILE
#
# Understood: top-level keys; plain, single- and double-quoted scalars; | and > blocks; lists of these in
# block or flow style; runcmd items that are lists of words.

BEGIN {
    split("instance-id local-hostname hostname password", names, " ")
    for (i in names) kind[names[i]] = "scalar"
    split("ssh_authorized_keys public-keys runcmd", names, " ")
    for (i in names) kind[names[i]] = "list"
    key = ""; block = 0
}

{ sub(/\r$/, "") }

# Inside a | or > block: every line that is indented more than its head, and blank lines.
block && (/^[ \t]*$/ || indent($0) > block_head) {
    if (block_body == 0 && !/^[ \t]*$/) block_body = indent($0)
    text = substr($0, block_body + 1)
    if (block == ">" && block_text != "") block_text = block_text " " text
    else block_text = block_text (block_lines++ ? "\n" : "") text
    next
}
block { end_block() }

/^[ \t]*(#|$)/ || /^(---|\.\.\.)[ \t]*$/ { next }

/^[A-Za-z_][A-Za-z0-9_-]*:([ \t]|$)/ {
    key = $0; sub(/:.*/, "", key)
    rest = $0; sub(/^[^:]*:[ \t]*/, "", rest)
    if (!(key in kind)) { complain("'" key "' is not supported here and was left out"); key = ""; next }
    empty(key)
    if (rest == "" || rest ~ /^#/) next
    value(rest, 0)
    next
}

/^[ \t]*-([ \t]|$)/ {
    if (key == "") next
    if (kind[key] != "list") { complain("'" key "' takes one value, not a list"); next }
    at = indent($0)
    rest = $0; sub(/^[ \t]*-[ \t]*/, "", rest)
    value(rest, at)
    next
}

{ if (key != "" || /^[^ \t]/) complain("not understood") }

END { if (block) end_block() }

function complain(what) { print "line " NR ": " what }

function indent(line) { match(line, /^[ \t]*/); return RLENGTH }

function empty(name) { printf "" > (out "/" name) }

function emit(text) {
    if (kind[key] == "list" && key != "runcmd") gsub(/\n/, " ", text)
    print text > (out "/" key)
}

# One value as written after "key:" or after "- ", whose head is indented by `at`.
function value(written, at,   n, i, words, line) {
    if (written ~ /^[|>][+-]?[ \t]*(#.*)?$/) {
        block = substr(written, 1, 1); block_head = at; block_body = 0; block_text = ""; block_lines = 0
    } else if (written ~ /^\[/) {
        n = flow(written, words)
        if (n < 0) { complain("a [list] must end on the line where it begins"); return }
        # A list that is itself the value of a key has one item per entry; an item of runcmd is one command.
        if (item_of_list()) {
            line = ""
            for (i = 1; i <= n; i++) line = line (i > 1 ? " " : "") shell_quote(words[i])
            emit(line)
        } else for (i = 1; i <= n; i++) emit(words[i])
    } else if (written ~ /^[{&*!%@`]/) {
        complain("this kind of value is not understood")
    } else {
        emit(scalar(written))
    }
}

function item_of_list() { return $0 ~ /^[ \t]*-/ && key == "runcmd" }

function end_block() {
    sub(/\n+$/, "", block_text)
    block = 0
    emit(block_text)
}

# A scalar without its quotes or its comment.
function scalar(written,   first, body) {
    first = substr(written, 1, 1)
    if (first == "\"" || first == "'") {
        body = quoted(written)
        if (taken > 0) return body
    }
    sub(/[ \t]+#.*$/, "", written)
    sub(/[ \t]+$/, "", written)
    return written
}

# The text of the quoted scalar that `written` begins with; `taken` is its length with the quotes, or 0 when
# it has no end on this line.
function quoted(written,   mark, i, c, body) {
    mark = substr(written, 1, 1); body = ""
    for (i = 2; i <= length(written); i++) {
        c = substr(written, i, 1)
        if (c == mark) {
            if (mark == "'" && substr(written, i + 1, 1) == "'") { body = body "'"; i++; continue }
            taken = i
            return body
        }
        if (mark == "\"" && c == "\\") {
            i++
            c = substr(written, i, 1)
            if (c == "n") c = "\n"
            else if (c == "t") c = "\t"
        }
        body = body c
    }
    taken = 0
    return ""
}

# Splits "[a, 'b c', \"d\"]" into words; -1 when it has no end on this line.
function flow(written, words,   n, rest) {
    n = 0
    rest = substr(written, 2)
    while (1) {
        sub(/^[ \t,]+/, "", rest)
        if (rest == "") return -1
        if (substr(rest, 1, 1) == "]") return n
        if (rest ~ /^["']/) {
            words[++n] = quoted(rest)
            if (taken == 0) return -1
            rest = substr(rest, taken + 1)
        } else {
            if (!match(rest, /^[^],]+/)) return -1
            words[++n] = substr(rest, 1, RLENGTH)
            sub(/[ \t]+$/, "", words[n])
            rest = substr(rest, RLENGTH + 1)
        }
    }
}

function shell_quote(word) {
    gsub(/'/, "'\\''", word)
    return "'" word "'"
}
