# SPDX-License-Identifier: Apache-2.0
# The completions of each shell, written by the command itself under the names
# that the shells look for:
#   cmake -DCOMMAND=build/theater -DOUT=build/completions -P completions.cmake
file(MAKE_DIRECTORY "${OUT}")
foreach(pair bash:theater zsh:_theater fish:theater.fish)
    string(REGEX MATCH "^([a-z]+):(.*)$" matched "${pair}")
    execute_process(COMMAND "${COMMAND}" completion ${CMAKE_MATCH_1}
        RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_QUIET)
    if(status EQUAL 0)
        file(WRITE "${OUT}/${CMAKE_MATCH_2}" "${text}")
    endif()
endforeach()
