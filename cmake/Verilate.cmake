# SPDX-License-Identifier: Apache-2.0
# poplink_verilate(NAME TOP module SOURCES files... [DEPENDS targets...] [OPTIONS verilator-options...]): a Verilated model as the static
# library NAME, class V<module>. Models are built for speed in every preset: -O3, no assertions, no tracing code on the fast path.
find_program(VERILATOR verilator REQUIRED)
execute_process(COMMAND ${VERILATOR} --getenv VERILATOR_ROOT OUTPUT_VARIABLE VERILATOR_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE)

# Verilator's own runtime, once.
add_library(verilated STATIC ${VERILATOR_ROOT}/include/verilated.cpp ${VERILATOR_ROOT}/include/verilated_threads.cpp)
target_include_directories(verilated SYSTEM PUBLIC ${VERILATOR_ROOT}/include ${VERILATOR_ROOT}/include/vltstd)
target_compile_definitions(verilated PUBLIC VERILATOR=1 VM_COVERAGE=0 VM_SC=0 VM_TRACE=0 VL_TIME_CONTEXT)
target_compile_options(verilated PRIVATE -O3 -w)

# Its FST writer, for models made with --trace-fst.
find_package(ZLIB REQUIRED)
add_library(verilated_fst STATIC ${VERILATOR_ROOT}/include/verilated_fst_c.cpp)
target_compile_options(verilated_fst PRIVATE -O3 -w)
target_link_libraries(verilated_fst PUBLIC verilated ZLIB::ZLIB)

function(poplink_verilate name)
  cmake_parse_arguments(arg "" "TOP" "SOURCES;DEPENDS;OPTIONS" ${ARGN})
  set(folder ${CMAKE_BINARY_DIR}/verilated/${name})
  set(archive ${folder}/V${arg_TOP}__ALL.a)
  set(launcher)
  if(CCACHE_PROGRAM)
    set(launcher OBJCACHE=${CCACHE_PROGRAM})
  endif()
  add_custom_command(OUTPUT ${archive} BYPRODUCTS ${folder}/V${arg_TOP}.h
    COMMAND ${VERILATOR} --cc -O3 --x-assign fast --x-initial fast --noassert -Wall --top-module ${arg_TOP} --prefix V${arg_TOP}
            -Mdir ${folder} ${arg_OPTIONS} ${arg_SOURCES}
    # CMake would otherwise hand its own jobserver and flags to this make.
    COMMAND ${CMAKE_COMMAND} -E env --unset=MAKEFLAGS make -s -C ${folder} -f V${arg_TOP}.mk V${arg_TOP}__ALL.a
            CXX=${CMAKE_CXX_COMPILER} ${launcher} OPT_FAST=-O3\ -march=native OPT_SLOW=-O1 OPT_GLOBAL=-O1
    DEPENDS ${arg_SOURCES} ${arg_DEPENDS} VERBATIM COMMENT "verilate ${arg_TOP}")
  add_custom_target(${name}_archive DEPENDS ${archive})
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_archive)
  target_include_directories(${name} SYSTEM INTERFACE ${folder})
  target_link_libraries(${name} INTERFACE ${archive} verilated)
endfunction()
