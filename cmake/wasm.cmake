# SPDX-License-Identifier: Apache-2.0
# Actors in C, built for wasm32 by clang and wasm-ld.
#
#   theater_wasm_actor(NAME ping SOURCES ping.c
#       [STACK bytes] [WASI] [NO_SDK] [OUTPUT file] [DEFINES A=1 ...]
#       [COPY ping.toml theater.toml ...])
#
# builds OUTPUT (default: NAME.wasm in the current build folder) as part of
# `all` and of the target wasm_actors, and copies the files under COPY beside
# it, so that a manifest finds its package.
#
# STACK is the machine stack of the actor in bytes. It comes first in memory,
# so that an overflow leaves the memory and traps; the data follow it. An idle
# actor touches the top of the stack and the data: with the default, 10,240 =
# 2 1/2 pages of 4 KiB, both lie in the same half page, and the actor costs
# one page as long as its data and its messages fit into 2 KiB. Keep to
# n * 4096 + 2048 when you raise it.
#
# NO_SDK leaves src/actor.c out, for tests that bring their own cabi_realloc.
# WASI builds with wasi-libc (a reactor: malloc, printf, clocks), with a
# stack of 66,560 bytes unless STACK says otherwise.

find_program(THEATER_CLANG_WASM NAMES clang-19 clang
    DOC "clang with the wasm32 target, for actors in C")
find_program(THEATER_WASM_LD NAMES wasm-ld-19 wasm-ld
    DOC "linker for actors in C")

# Whether that clang knows wasm32; asked once per build folder.
if(THEATER_CLANG_WASM AND NOT DEFINED THEATER_WASM_CLANG_WORKS)
    execute_process(COMMAND ${THEATER_CLANG_WASM} --print-targets
        OUTPUT_VARIABLE theater_wasm_targets ERROR_QUIET)
    if(theater_wasm_targets MATCHES "wasm32" AND THEATER_WASM_LD)
        set(theater_wasm_works ON)
    else()
        set(theater_wasm_works OFF)
    endif()
    set(THEATER_WASM_CLANG_WORKS ${theater_wasm_works} CACHE INTERNAL "")
endif()

# In the cache: a project that adds this one calls the function from a scope
# that does not see this one's variables. Where this is installed, the SDK is
# elsewhere, and THEATER_SDK_DIR names it.
get_filename_component(theater_sdk "${CMAKE_CURRENT_LIST_DIR}/../sdk/c"
    ABSOLUTE)
if(DEFINED THEATER_SDK_DIR)
    set(theater_sdk "${THEATER_SDK_DIR}")
endif()
set(THEATER_WASM_SDK "${theater_sdk}" CACHE INTERNAL "")

# The instruction set is named, so that another clang's defaults do not change
# what an engine must know.
set(THEATER_WASM_CFLAGS -O2 -mcpu=mvp -mbulk-memory -msign-ext
    -mmutable-globals -mnontrapping-fptoint -Wall -Wextra -Wconversion
    -Wshadow -Werror CACHE INTERNAL "")

if(NOT TARGET wasm_actors)
    add_custom_target(wasm_actors ALL)
endif()

# One source to one object; the name of the object in out_object.
function(theater_wasm_object source folder flags out_object)
    get_filename_component(source "${source}" ABSOLUTE)
    get_filename_component(stem "${source}" NAME_WE)
    set(object "${folder}/${stem}.o")
    add_custom_command(OUTPUT "${object}"
        COMMAND ${CMAKE_COMMAND} -E make_directory "${folder}"
        COMMAND ${THEATER_CLANG_WASM} ${flags} -MD -MF "${object}.d"
            -c "${source}" -o "${object}"
        DEPENDS "${source}"
        DEPFILE "${object}.d"
        COMMENT "Compiling ${stem}.c for wasm32"
        VERBATIM)
    set(${out_object} "${object}" PARENT_SCOPE)
endfunction()

function(theater_wasm_actor)
    cmake_parse_arguments(arg "WASI;NO_SDK" "NAME;STACK;OUTPUT"
        "SOURCES;DEFINES;COPY" ${ARGN})
    if(NOT arg_NAME OR NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "theater_wasm_actor: NAME and SOURCES are needed; "
            "not understood: '${arg_UNPARSED_ARGUMENTS}'")
    endif()
    if(NOT THEATER_WASM_CLANG_WORKS)
        message(FATAL_ERROR "actor ${arg_NAME}: clang with wasm32 and wasm-ld "
            "are needed (Debian: clang-19 lld-19)")
    endif()
    if(NOT arg_OUTPUT)
        set(arg_OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}.wasm")
    endif()

    set(flags ${THEATER_WASM_CFLAGS} "-I${THEATER_WASM_SDK}/include")
    foreach(define IN LISTS arg_DEFINES)
        list(APPEND flags "-D${define}")
    endforeach()
    if(arg_WASI)
        set(stack 66560)
        list(APPEND flags --target=wasm32-wasi -std=gnu17)
        set(link --target=wasm32-wasi -mexec-model=reactor)
    else()
        set(stack 10240)
        list(APPEND flags --target=wasm32 -std=c17)
        set(link --target=wasm32 -nostdlib -Wl,--no-entry)
    endif()
    if(arg_STACK)
        set(stack ${arg_STACK})
    endif()

    # The link names no -O, so that clang starts no optimiser of another
    # project that it may find.
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}.wasm.dir")
    set(objects)
    if(NOT arg_NO_SDK)
        list(APPEND arg_SOURCES "${THEATER_WASM_SDK}/src/actor.c")
    endif()
    foreach(source IN LISTS arg_SOURCES)
        theater_wasm_object("${source}" "${folder}" "${flags}" object)
        list(APPEND objects "${object}")
    endforeach()
    add_custom_command(OUTPUT "${arg_OUTPUT}"
        COMMAND ${THEATER_CLANG_WASM} ${link} ${objects}
            -Wl,--strip-all,--gc-sections,--stack-first
            -Wl,-z,stack-size=${stack} -o "${arg_OUTPUT}"
        DEPENDS ${objects}
        COMMENT "Linking actor ${arg_NAME}"
        VERBATIM)

    set(copies)
    foreach(file IN LISTS arg_COPY)
        get_filename_component(name "${file}" NAME)
        set(copy "${CMAKE_CURRENT_BINARY_DIR}/${name}")
        add_custom_command(OUTPUT "${copy}"
            COMMAND ${CMAKE_COMMAND} -E copy
                "${CMAKE_CURRENT_SOURCE_DIR}/${file}" "${copy}"
            DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}"
            VERBATIM)
        list(APPEND copies "${copy}")
    endforeach()
    file(RELATIVE_PATH place "${CMAKE_BINARY_DIR}" "${arg_OUTPUT}")
    string(MAKE_C_IDENTIFIER "wasm_${place}" target)
    add_custom_target(${target} ALL DEPENDS "${arg_OUTPUT}" ${copies})
    add_dependencies(wasm_actors ${target})
endfunction()
