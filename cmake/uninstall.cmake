# SPDX-License-Identifier: Apache-2.0
# Removes what the last install from this build folder has put there, and the
# folders of Theater's own that are empty then. $DESTDIR as with the install.
#   cmake -DMANIFEST=build/install_manifest.txt -P cmake/uninstall.cmake
if(NOT EXISTS "${MANIFEST}")
    message(FATAL_ERROR "${MANIFEST} is not there: nothing was installed from "
        "this build folder")
endif()
file(STRINGS "${MANIFEST}" files)
set(folders "")
foreach(file IN LISTS files)
    set(file "$ENV{DESTDIR}${file}")
    if(EXISTS "${file}" OR IS_SYMLINK "${file}")
        message("-- Removing: ${file}")
        file(REMOVE "${file}")
    endif()
    # Its folders, from .../theater down, are ours.
    get_filename_component(folder "${file}" DIRECTORY)
    while(folder MATCHES "/theater(/|$)")
        list(APPEND folders "${folder}")
        get_filename_component(folder "${folder}" DIRECTORY)
    endwhile()
endforeach()
# The longest first: a folder comes after those in it.
list(REMOVE_DUPLICATES folders)
list(SORT folders ORDER DESCENDING)
foreach(folder IN LISTS folders)
    file(GLOB inside LIST_DIRECTORIES true "${folder}/*" "${folder}/.*")
    if(IS_DIRECTORY "${folder}" AND NOT inside)
        file(REMOVE_RECURSE "${folder}")
    endif()
endforeach()
