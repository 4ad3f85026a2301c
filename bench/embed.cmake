# SPDX-License-Identifier: Apache-2.0
# Writes modules into a C source, so that the command carries them:
#   cmake -DOUT=modules.c "-DMODULES=a.wasm;b.wasm" -P embed.cmake
set(text "/* Made by bench/embed.cmake. */\n#include \"cli/bench.h\"\n\n")
set(table "")
set(count 0)
foreach(module IN LISTS MODULES)
    get_filename_component(name "${module}" NAME_WE)
    file(READ "${module}" hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND text "static const uint8_t ${name}[] = {${bytes}};\n")
    string(APPEND table "    {\"${name}\", ${name}, sizeof ${name}},\n")
    math(EXPR count "${count} + 1")
endforeach()
string(APPEND text "\nconst struct bench_module bench_modules[] = {\n${table}"
    "    {0, 0, 0},\n};\nconst size_t bench_modules_len = ${count};\n")
file(WRITE "${OUT}" "${text}")
