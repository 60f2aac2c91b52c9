#!/usr/bin/python3
"""A file as C: embed.py FILE NAME writes `const unsigned char NAME[]` and `const size_t NAME_len`
to standard output."""
import pathlib
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
name = sys.argv[2]
print("#include <stddef.h>\n")
print(f"extern const unsigned char {name}[];\nextern const size_t {name}_len;\n")
print(f"const unsigned char {name}[] = {{")
for start in range(0, len(data), 16):
    print("\t" + " ".join(f"{byte}," for byte in data[start:start + 16]))
print(f"}};\nconst size_t {name}_len = {len(data)};")
