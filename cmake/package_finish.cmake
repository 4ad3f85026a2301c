# SPDX-License-Identifier: Apache-2.0
# Run by cpack between install and packing: licence and changelog where Debian
# looks for them, pages compressed, static libraries without what debuggers
# alone read.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
    return()
endif()
set(source "${CMAKE_CURRENT_LIST_DIR}/..")
find_program(GZIP gzip REQUIRED)
find_program(STRIP NAMES "${CMAKE_STRIP}" strip REQUIRED)

# What the shared libraries below a folder depend on, as Debian names it.
function(shared_depends folder out_depends)
    find_program(SHLIBDEPS dpkg-shlibdeps REQUIRED)
    set(scratch "${CPACK_TEMPORARY_DIRECTORY}/shlibdeps")
    file(WRITE "${scratch}/debian/control" "Source: theater\n\n"
        "Package: theater\nArchitecture: any\n")
    file(GLOB_RECURSE libraries "${folder}/lib*.so.*.*")
    execute_process(COMMAND "${SHLIBDEPS}" -O ${libraries}
        WORKING_DIRECTORY "${scratch}" OUTPUT_VARIABLE found
        RESULT_VARIABLE status OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT status EQUAL 0 OR NOT found MATCHES "^shlibs:Depends=")
        message(FATAL_ERROR "dpkg-shlibdeps: ended with ${status}")
    endif()
    string(REPLACE "shlibs:Depends=" "" found "${found}")
    set(${out_depends} "${found}" PARENT_SCOPE)
endfunction()

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${ARGN}: ended with ${status}")
    endif()
endfunction()

set(version "${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    set(usr "${CPACK_TEMPORARY_DIRECTORY}/${component}/usr")
    if(NOT IS_DIRECTORY "${usr}")
        message(FATAL_ERROR "${usr} is missing: nothing to finish")
    endif()
    string(TOUPPER "${component}" upper)
    set(doc "${usr}/share/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME}")
    file(MAKE_DIRECTORY "${doc}")
    configure_file("${source}/cmake/copyright" "${doc}/copyright" COPYONLY)
    configure_file("${source}/CHANGELOG.md" "${doc}/changelog" COPYONLY)
    file(WRITE "${doc}/changelog.Debian"
        "theater (${version}) unstable; urgency=medium\n\n"
        "  * See changelog.gz.\n\n"
        " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
    file(GLOB pages "${usr}/share/man/man*/*")
    run("${GZIP}" -9nf "${doc}/changelog" "${doc}/changelog.Debian" ${pages})
    file(GLOB_RECURSE archives "${usr}/*.a")
    if(archives)
        run("${STRIP}" --strip-debug --enable-deterministic-archives
            -R ".gnu.lto_*" -R ".gnu.debuglto_*" -N __gnu_lto_v1 ${archives})
    endif()
    # Not what the umask of whoever packs happens to be.
    run(chmod -R u+rwX,go+rX,go-w "${usr}")
    if(component STREQUAL "libtheater")
        shared_depends("${usr}" CPACK_DEBIAN_LIBTHEATER_PACKAGE_DEPENDS)
    endif()
endforeach()
