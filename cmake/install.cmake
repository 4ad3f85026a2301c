# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the command, the libraries, headers, the files for
# pkg-config and find_package, the SDKs and the WIT package. Components, of
# which cmake/package.cmake makes packages:
#
#   theater      the command, its pages and completions, SDKs, WIT
#   libtheater   the shared libraries
#   development  headers, static libraries, files for other builds
#
# Everything may be moved afterwards: no file names the prefix.
include(CMakePackageConfigHelpers)

set(theater_data "${CMAKE_INSTALL_DATADIR}/theater")
set(theater_cmake "${CMAKE_INSTALL_LIBDIR}/cmake/theater")
set(theater_private "${CMAKE_INSTALL_LIBDIR}/theater")

# --- Libraries --------------------------------------------------------------
set(theater_export "")
foreach(target theater_messaging theater_all)
    if(TARGET ${target} AND theater_static_libraries)
        list(APPEND theater_export ${target})
    endif()
    if(TARGET ${target}_shared)
        list(APPEND theater_export ${target}_shared)
    endif()
endforeach()
install(TARGETS ${theater_export} EXPORT theaterTargets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT libtheater
        NAMELINK_COMPONENT development
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
# Intermediate code is of one compiler alone, and would be looked at first.
if(theater_lto_compile AND CMAKE_C_COMPILER_ID STREQUAL "GNU"
        AND CMAKE_OBJCOPY AND theater_static_libraries)
    foreach(target theater_messaging theater_all)
        if(TARGET ${target})
            install(CODE "
    set(place \"${CMAKE_INSTALL_LIBDIR}\")
    if(NOT IS_ABSOLUTE \"\${place}\")
        set(place \"\${CMAKE_INSTALL_PREFIX}/\${place}\")
    endif()
    execute_process(COMMAND \"${CMAKE_OBJCOPY}\" -N __gnu_lto_v1
        -R .gnu.lto_* -R .gnu.debuglto_*
        \"\$ENV{DESTDIR}\${place}/$<TARGET_FILE_NAME:${target}>\"
        RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR \"objcopy: ended with \${status}\")
    endif()
" COMPONENT development)
        endif()
    endforeach()
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
    FILES_MATCHING PATTERN "*.h")

# The static libtheater needs the engine, which is large and not ours: a file of
# its own, in a folder of its own, under a name that no system library has.
set(theater_private_links "")
set(theater_pc_messaging -pthread)
set(theater_config_needs_mimalloc FALSE)
if(theater_mimalloc)
    list(PREPEND theater_pc_messaging -lmimalloc)
    if(theater_static_libraries)
        set(theater_config_needs_mimalloc TRUE)
        foreach(target theater_messaging theater_all)
            if(TARGET ${target})
                target_link_libraries(${target} PUBLIC
                    $<INSTALL_INTERFACE:mimalloc>)
            endif()
        endforeach()
    endif()
endif()
set(theater_pc_theater ${theater_pc_messaging})
if(TARGET theater_all)
    list(APPEND theater_pc_theater ${CMAKE_DL_LIBS} m)
    list(TRANSFORM theater_pc_theater REPLACE "^([a-z]+)$" "-l\\1")
    if(theater_wasmtime_library MATCHES "\\.a$")
        set(engine "${theater_private}/libtheater-engine.a")
        if(NOT IS_ABSOLUTE "${engine}")
            set(engine "$<INSTALL_PREFIX>/${engine}")
        endif()
        list(PREPEND theater_pc_theater "-L\${libdir}/theater"
            -ltheater-engine)
        if(theater_static_libraries)
            install(FILES "${theater_wasmtime_library}"
                DESTINATION "${theater_private}" COMPONENT development
                RENAME libtheater-engine.a)
        endif()
    else()
        set(engine wasmtime)
        list(PREPEND theater_pc_theater -lwasmtime)
    endif()
    target_link_libraries(theater_all PUBLIC
        "$<INSTALL_INTERFACE:${engine}>" "$<INSTALL_INTERFACE:${CMAKE_DL_LIBS}>"
        $<INSTALL_INTERFACE:m>)
endif()

# --- pkg-config and find_package --------------------------------------------
# A folder of GNUInstallDirs as pkg-config is to see it.
function(theater_pc_place folder out_place)
    if(IS_ABSOLUTE "${folder}")
        set(${out_place} "${folder}" PARENT_SCOPE)
    else()
        set(${out_place} "\${prefix}/${folder}" PARENT_SCOPE)
    endif()
endfunction()
theater_pc_place("${CMAKE_INSTALL_LIBDIR}" theater_pc_libdir)
theater_pc_place("${CMAKE_INSTALL_INCLUDEDIR}" theater_pc_includedir)
set(theater_pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    file(RELATIVE_PATH up "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(theater_pc_prefix "\${pcfiledir}/${up}")
endif()

function(theater_pc library name description private)
    set(theater_pc_library ${library})
    set(theater_pc_name ${name})
    set(theater_pc_description "${description}")
    string(REPLACE ";" " " theater_pc_private "${private}")
    configure_file("${PROJECT_SOURCE_DIR}/cmake/theater.pc.in"
        "${PROJECT_BINARY_DIR}/pkgconfig/${library}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/pkgconfig/${library}.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
endfunction()
theater_pc(theater-messaging theater-messaging
    "Message server for threads and actors" "${theater_pc_messaging}")
if(TARGET theater_all)
    theater_pc(theater theater "${PROJECT_DESCRIPTION}"
        "${theater_pc_theater}")
endif()

set(theater_sdk_place "${theater_data}/sdk")
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/theaterConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/cmake/theaterConfig.cmake"
    INSTALL_DESTINATION "${theater_cmake}" PATH_VARS theater_sdk_place)
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/cmake/theaterConfigVersion.cmake"
    COMPATIBILITY SameMajorVersion)
install(EXPORT theaterTargets NAMESPACE theater::
    DESTINATION "${theater_cmake}" COMPONENT development)
install(FILES "${PROJECT_BINARY_DIR}/cmake/theaterConfig.cmake"
        "${PROJECT_BINARY_DIR}/cmake/theaterConfigVersion.cmake"
    DESTINATION "${theater_cmake}" COMPONENT development)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/wasm.cmake"
    DESTINATION "${theater_cmake}" COMPONENT development
    RENAME theaterWasm.cmake)

# --- The command ------------------------------------------------------------
if(TARGET theater)
    install(TARGETS theater
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT theater)
endif()
foreach(folder sdk wit)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}"
        DESTINATION "${theater_data}" COMPONENT theater
        PATTERN CMakeLists.txt EXCLUDE
        PATTERN "*test*" EXCLUDE
        PATTERN "template*" EXCLUDE
        PATTERN target EXCLUDE
        PATTERN node_modules EXCLUDE
        PATTERN __pycache__ EXCLUDE)
endforeach()
# The SDKs' documents refer to these.
foreach(document actor-api embedding languages manifest permissions tutorial)
    install(FILES "${PROJECT_SOURCE_DIR}/docs/${document}.md"
        DESTINATION "${theater_data}/docs" COMPONENT theater)
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples"
    DESTINATION "${theater_data}" COMPONENT theater
    PATTERN "test*" EXCLUDE
    PATTERN ".*" EXCLUDE)
# What the build makes with the command: not where it is for another machine.
if(TARGET theater AND NOT CMAKE_CROSSCOMPILING)
    set(completions "${PROJECT_BINARY_DIR}/completions")
    add_custom_command(TARGET theater POST_BUILD
        COMMAND "${CMAKE_COMMAND}" "-DCOMMAND=$<TARGET_FILE:theater>"
            "-DOUT=${completions}"
            -P "${PROJECT_SOURCE_DIR}/cmake/completions.cmake"
        COMMENT "Writing the completions" VERBATIM)
    foreach(pair theater:bash-completion/completions
            _theater:zsh/site-functions theater.fish:fish/vendor_completions.d)
        string(REGEX MATCH "^(.*):(.*)$" matched "${pair}")
        install(FILES "${completions}/${CMAKE_MATCH_1}"
            DESTINATION "${CMAKE_INSTALL_DATADIR}/${CMAKE_MATCH_2}"
            COMPONENT theater OPTIONAL)
    endforeach()
endif()
foreach(section 1 5)
    install(DIRECTORY "${PROJECT_BINARY_DIR}/man/"
        DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}" COMPONENT theater
        OPTIONAL FILES_MATCHING PATTERN "*.${section}")
endforeach()
install(DIRECTORY "${PROJECT_BINARY_DIR}/schema/"
    DESTINATION "${theater_data}" COMPONENT theater
    OPTIONAL FILES_MATCHING PATTERN "*.json")

# --- Uninstall --------------------------------------------------------------
add_custom_target(uninstall
    COMMAND "${CMAKE_COMMAND}"
        "-DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt"
        -P "${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake"
    COMMENT "Removing what was installed last" VERBATIM)

# --- The reference of the API -----------------------------------------------
find_program(THEATER_DOXYGEN doxygen DOC "makes the reference of the API")
if(THEATER_DOXYGEN)
    configure_file("${PROJECT_SOURCE_DIR}/docs/api/Doxyfile.in"
        "${PROJECT_BINARY_DIR}/api/Doxyfile" @ONLY)
    add_custom_target(docs-api
        COMMAND "${THEATER_DOXYGEN}" "${PROJECT_BINARY_DIR}/api/Doxyfile"
        COMMENT "Writing api/html/index.html" VERBATIM)
endif()
