# SPDX-License-Identifier: Apache-2.0
# What every room builds with: the warning set, the sanitizers, ccache and the Python tools.

option(POPLINK_SANITIZE "Build everything with ASan and UBSan" OFF)

# Every own target links poplink::options; third-party headers are SYSTEM and stay outside it.
add_library(poplink_options INTERFACE)
add_library(poplink::options ALIAS poplink_options)
target_compile_options(poplink_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-align -Wunused -Woverloaded-virtual -Wnull-dereference -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough
  -Wno-bit-int-extension -Werror)

if(POPLINK_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

add_link_options(-fuse-ld=lld-19)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# script/bootstrap puts the Python tools (register generator and friends) here.
set(POPLINK_PYTHON ${CMAKE_SOURCE_DIR}/build/venv/bin/python CACHE FILEPATH "Python with the packages of script/requirements.txt")
if(NOT EXISTS ${POPLINK_PYTHON})
  message(FATAL_ERROR "no Python tools at ${POPLINK_PYTHON}: run script/bootstrap")
endif()
