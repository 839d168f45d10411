# Compiler settings shared by every target, and the one way to declare a source folder.

add_library(roomcast_options INTERFACE)
target_include_directories(roomcast_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(roomcast_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns without cause of overlapping copies inside std::string's operator+ (GCC bug 105651).
  target_compile_options(roomcast_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()

# Where many files are compiled as one, locals meet the names of other files, and a nameless namespace comes from what
# counts as a header.
target_compile_options(roomcast_options INTERFACE
  $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wno-shadow;-Wno-subobject-linkage>
  $<$<AND:$<COMPILE_LANG_AND_ID:CXX,Clang>,$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wno-shadow>)

if(ROOMCAST_SANITIZE)
  # The optimiser stays on: the sanitizer runs repeat every wire test. Without vptr, which needs descriptors of its
  # own and errs when there are none left, as some tests provoke.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=address,undefined)
  # Only here can NET_CHAOS in the environment make every read tiny and every write short (net/chaos.h).
  add_compile_definitions(ROOMCAST_CHAOS=1)
endif()
if(ROOMCAST_THREAD_SANITIZE)
  # Of what is linked only the project's own code is instrumented: SQLite and libuv are seen by their locks and system calls.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -O1 -g1)
  add_link_options(-fsanitize=thread)
endif()
if(ROOMCAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(ROOMCAST_COVERAGE)
  # Counters of source regions, which optimising doesn't blur. They live in a file that all processes of a program map (%c, %m):
  # one that is killed has counted too.
  add_compile_options(-O1 -fcoverage-mapping "-fprofile-instr-generate=${PROJECT_BINARY_DIR}/profiles/%m%c.profraw"
    "SHELL:-mllvm -runtime-counter-relocation")
  add_link_options(-fprofile-instr-generate)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# roomcast_library(NAME folder [LINKS ...] [PRIVATE_LINKS ...])
# One static library a folder, holding every .cpp in it. LINKS are the folders (and packages) its headers
# may include, PRIVATE_LINKS what only its sources use.
function(roomcast_library name)
  cmake_parse_arguments(ARG "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  if(name STREQUAL "app")
    list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  endif()
  if(sources)
    add_library(roomcast_${name} STATIC ${sources})
    target_link_libraries(roomcast_${name} PUBLIC roomcast_options ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  else()
    add_library(roomcast_${name} INTERFACE)
    target_link_libraries(roomcast_${name} INTERFACE roomcast_options ${ARG_LINKS})
  endif()
endfunction()
