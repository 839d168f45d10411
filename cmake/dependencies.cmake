# Third-party parts, all from Debian packages (CHANGELOG.md says what each is for).

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(spdlog REQUIRED)
find_package(toml11 REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)

# Debian 13 has llhttp as a library; Debian 12 ships its generated C sources in node-llhttp.
find_path(LLHTTP_HEADERS llhttp.h PATHS /usr/include /usr/share/include/llhttp REQUIRED)
find_library(LLHTTP_LIBRARY llhttp)
if(LLHTTP_LIBRARY)
  add_library(llhttp INTERFACE)
  target_link_libraries(llhttp INTERFACE ${LLHTTP_LIBRARY})
else()
  find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH REQUIRED)
  add_library(llhttp STATIC ${LLHTTP_SOURCES}/llhttp.c ${LLHTTP_SOURCES}/api.c ${LLHTTP_SOURCES}/http.c)
  target_compile_options(llhttp PRIVATE -w)
  set_target_properties(llhttp PROPERTIES UNITY_BUILD OFF) # http.c is not made to stand beside api.c
endif()
target_include_directories(llhttp SYSTEM INTERFACE ${LLHTTP_HEADERS})
if(NOT LLHTTP_LIBRARY)
  target_include_directories(llhttp SYSTEM PRIVATE ${LLHTTP_HEADERS})
endif()
