# Where the parts of an installed roomcast lie: cmake --install build/release --prefix /usr

include(GNUInstallDirs)

install(TARGETS roomcast RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# The load tool goes along where it has been built: `./dev build` and `./dev run` build the daemon alone.
if(TARGET roomcast-bench)
  install(TARGETS roomcast-bench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)
endif()
# The documents lie to each other as they do here, with all that their links lead to.
install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS)
foreach(document config/roomcast.toml src/README.md tests/README.md tests/bench/README.md)
  cmake_path(GET document PARENT_PATH folder)
  install(FILES ${document} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder})
endforeach()
install(FILES systemd/roomcast.service systemd/roomcast.socket DESTINATION lib/systemd/system)
# The configuration that an administrator has changed is never overwritten: the sample lies beside it.
install(FILES config/roomcast.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/roomcast)
install(CODE "
  if(NOT EXISTS \"\$ENV{DESTDIR}/etc/roomcast/roomcast.toml\")
    file(INSTALL \"${PROJECT_SOURCE_DIR}/config/roomcast.toml\" DESTINATION /etc/roomcast)
  endif()")
