# SPDX-License-Identifier: Apache-2.0
# poplink_hls_kernel(NAME SOURCE file [OPTIONS hlsc-options...] [UPDATES tables...]): compiles a kernel into ${CMAKE_BINARY_DIR}/hls/NAME
# (target hls_NAME) and offers NAME_rtl.h to C++ as the interface library poplink::NAME_rtl. UPDATES are the tables that the kernel updates:
# the body of each is NAME_TABLE_update.sv.
function(poplink_hls_kernel name)
  cmake_parse_arguments(arg "" "SOURCE" "OPTIONS;UPDATES" ${ARGN})
  set(folder ${CMAKE_BINARY_DIR}/hls/${name})
  set(outputs ${folder}/${name}.sv ${folder}/${name}_pkg.sv ${folder}/${name}_rtl.h ${folder}/${name}.json)
  foreach(table ${arg_UPDATES})
    list(APPEND outputs ${folder}/${name}_${table}_update.sv)
  endforeach()
  get_filename_component(source ${arg_SOURCE} ABSOLUTE)
  get_filename_component(source_folder ${source} DIRECTORY)
  file(GLOB headers CONFIGURE_DEPENDS ${source_folder}/*.h ${source_folder}/*.def ${CMAKE_SOURCE_DIR}/hls/include/*.h)
  set(arguments ${source} --top ${name} ${arg_OPTIONS} -I ${CMAKE_SOURCE_DIR}/hls/include)
  # One argument a line: script/prove finds the kernels of a build by these.
  string(JOIN "\n" command $<TARGET_FILE:hlsc> ${arguments})
  file(GENERATE OUTPUT ${folder}/hlsc.command CONTENT "${command}\n")
  # hlsc leaves unchanged files alone; the stamp tells the build tool that it has run.
  add_custom_command(OUTPUT ${folder}/stamp BYPRODUCTS ${outputs}
    COMMAND hlsc ${arguments} -o ${folder}
    COMMAND ${CMAKE_COMMAND} -E touch ${folder}/stamp
    DEPENDS hlsc ${source} ${headers} VERBATIM COMMENT "hlsc ${name}")
  add_custom_target(hls_${name} DEPENDS ${folder}/stamp)
  add_library(poplink_${name}_rtl INTERFACE)
  add_library(poplink::${name}_rtl ALIAS poplink_${name}_rtl)
  add_dependencies(poplink_${name}_rtl hls_${name})
  target_include_directories(poplink_${name}_rtl INTERFACE ${folder})
  target_link_libraries(poplink_${name}_rtl INTERFACE poplink::hls)
endfunction()
