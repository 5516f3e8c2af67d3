"""What is derived from the declarations: one pure function and one file each; none reads another's output."""
