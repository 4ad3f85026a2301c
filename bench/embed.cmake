# SPDX-License-Identifier: Apache-2.0
# Writes files into a C source, so that the command carries them:
#   cmake -DOUT=files.c "-DFILES=a.wasm;b.toml" -P embed.cmake
set(text "/* Made by bench/embed.cmake. */\n#include \"cli/bench.h\"\n\n")
set(table "")
set(count 0)
foreach(file IN LISTS FILES)
    get_filename_component(name "${file}" NAME)
    string(MAKE_C_IDENTIFIER "${name}" data)
    file(READ "${file}" hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND text "static const uint8_t ${data}[] = {${bytes}};\n")
    string(APPEND table "    {\"${name}\", ${data}, sizeof ${data}},\n")
    math(EXPR count "${count} + 1")
endforeach()
string(APPEND text "\nconst struct bench_file bench_files[] = {\n${table}"
    "    {0, 0, 0},\n};\nconst size_t bench_files_len = ${count};\n")
file(WRITE "${OUT}" "${text}")
