# Where the parts of an installed roomcast lie: cmake --install build/release --prefix /usr

include(GNUInstallDirs)

install(TARGETS roomcast RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY web/ DESTINATION ${CMAKE_INSTALL_DATADIR}/roomcast/web)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES systemd/roomcast.service systemd/roomcast.socket DESTINATION lib/systemd/system)
# The configuration that an administrator has changed is never overwritten: the sample lies beside it.
install(FILES config/roomcast.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/roomcast)
install(CODE [[
  set(config "$ENV{DESTDIR}/etc/roomcast/roomcast.toml")
  if(NOT EXISTS "${config}")
    file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/../config/roomcast.toml" DESTINATION "$ENV{DESTDIR}/etc/roomcast")
  endif()
]])
