# SPDX-License-Identifier: Apache-2.0
# Writes the files of a list into a C source, for cmake/templates.cmake:
#   cmake -DLIST=list.txt -DOUT=templates.c -P embed_templates.cmake
# A line: LANGUAGE, 1 where @NAME@ is replaced, the path in a project, the file.
set(text "/* Made by cmake/embed_templates.cmake. */\n")
string(APPEND text "#include \"cli/template.h\"\n\n")
set(table "")
set(count 0)
file(STRINGS "${LIST}" lines)
foreach(line IN LISTS lines)
    string(REGEX MATCH "^([^ ]+) ([01]) ([^ ]+) (.+)$" matched "${line}")
    set(head "\"${CMAKE_MATCH_1}\", \"${CMAKE_MATCH_3}\"")
    set(named ${CMAKE_MATCH_2})
    file(READ "${CMAKE_MATCH_4}" hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    # A zero behind the last byte, so that an empty file is an array, too.
    string(APPEND text "static const uint8_t file_${count}[] = {${bytes}0};\n")
    string(APPEND table "    {${head}, file_${count}, "
        "sizeof file_${count} - 1, ${named}},\n")
    math(EXPR count "${count} + 1")
endforeach()
string(APPEND text "\nconst struct cli_template_file cli_template_files[] = {\n"
    "${table}    {0, 0, 0, 0, 0},\n};\n"
    "const size_t cli_template_files_len = ${count};\n")
file(WRITE "${OUT}" "${text}")
