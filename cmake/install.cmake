# Where the parts of an installed roomcast lie: cmake --install build/release --prefix /usr

include(GNUInstallDirs)

install(TARGETS roomcast roomcast-bench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES systemd/roomcast.service systemd/roomcast.socket DESTINATION lib/systemd/system)
# The configuration that an administrator has changed is never overwritten: the sample lies beside it.
install(FILES config/roomcast.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/roomcast)
install(CODE "
  if(NOT EXISTS \"\$ENV{DESTDIR}/etc/roomcast/roomcast.toml\")
    file(INSTALL \"${PROJECT_SOURCE_DIR}/config/roomcast.toml\" DESTINATION /etc/roomcast)
  endif()")
