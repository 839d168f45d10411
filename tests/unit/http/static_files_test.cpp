#include "http/static_files.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "http/router.h"
#include "support/exchange_double.h"

namespace static_files_test {

namespace fs = std::filesystem;
namespace http = roomcast::http;
using http::Method;
using roomcast::test::ExchangeDouble;

namespace {

constexpr std::array<http::EmbeddedFile, 4> embedded{{
    {"index.html", "<!doctype html>"},
    {"app.js", "export {};"},
    {"img/a b.png", std::string_view("\x89PNG\0", 5)},
    {"empty.txt", ""},
}};

struct Fixture {
  http::StaticFiles files{http::FileSet::from_embedded(embedded)};
  http::Router router;

  Fixture() { router.set_fallback(files); }

  ExchangeDouble ask(Method method, std::string_view target, std::string_view if_none_match = "") {
    ExchangeDouble exchange(method, target);
    exchange.edit().headers.add("Host", "example.org:8080");
    if (!if_none_match.empty()) exchange.edit().headers.add("If-None-Match", std::string(if_none_match));
    router.handle(exchange, {});
    return exchange;
  }
};

/// A folder that is removed with the test.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "http-files-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  void write(const fs::path& name, std::string_view bytes) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "static files: a file comes with its type, a strong tag and the headers that protect it") {
  const auto answer = ask(Method::get, "/index.html?x");
  CHECK(answer.status() == 200);
  CHECK(answer.body() == "<!doctype html>");
  CHECK(answer.header("Content-Type") == "text/html; charset=utf-8");
  CHECK(answer.header("ETag") == "\"fe26c59e91ac8de694b2531dc3bdc1b7faf471d3d7e4e00870af60f5f22897cb\"");
  CHECK(answer.header("Cache-Control") == "no-cache");
  CHECK(answer.header("Referrer-Policy") == "no-referrer");
  CHECK(answer.header("Cross-Origin-Opener-Policy") == "same-origin");
  CHECK(answer.header("Content-Security-Policy").find("default-src 'none'") == 0);
  CHECK(ask(Method::get, "/").body() == answer.body());
  CHECK(ask(Method::get, "/app.js").header("Content-Type") == "text/javascript; charset=utf-8");
}

TEST_CASE_FIXTURE(Fixture, "static files: the path is decoded once and has to match exactly") {
  CHECK(ask(Method::get, "/img/a%20b.png").body() == std::string_view("\x89PNG\0", 5));
  CHECK(ask(Method::get, "/%69ndex.html").status() == 200);
  CHECK(ask(Method::get, "/empty.txt").status() == 200);
  for (const char* target :
       {"/img/", "/img", "//index.html", "/./index.html", "/img/../index.html", "/index.html/", "/INDEX.HTML",
        "/%252e%252e/index.html", "/img/a%2520b.png", "/index.html%00", "/index.html%00.png",
        "/%2e%2e/etc/passwd", "/..%2fetc%2fpasswd", "/../etc/passwd", "/..%5cetc%5cpasswd",
        "/..\\etc\\passwd", "/etc/passwd", "//etc/passwd", "/%c0%ae%c0%ae/x"}) {
    CAPTURE(target);
    CHECK(ask(Method::get, target).status() == 404);
  }
  CHECK(ask(Method::get, "/%zz").status() == 400);
}

TEST_CASE_FIXTURE(Fixture, "static files: only GET and HEAD") {
  CHECK(ask(Method::head, "/").status() == 200);
  CHECK(ask(Method::post, "/").status() == 405);
  CHECK(ask(Method::post, "/").header("Allow") == "GET, HEAD, OPTIONS");
  CHECK(ask(Method::options, "/").status() == 204);
  CHECK(ask(Method::options, "/").header("Allow") == "GET, HEAD, OPTIONS");
  CHECK(ask(Method::post, "/nothing").status() == 404);
}

TEST_CASE_FIXTURE(Fixture, "static files: a client that has the file gets 304") {
  const std::string tag = ask(Method::get, "/").header("ETag");
  const auto answer = ask(Method::get, "/", tag);
  CHECK(answer.status() == 304);
  CHECK(answer.body().empty());
  CHECK(answer.header("ETag") == tag);
  CHECK(answer.header("Cache-Control") == "no-cache");
  CHECK(answer.header("Content-Type") == "");
  CHECK(ask(Method::get, "/", "\"other\"").status() == 200);
  CHECK(ask(Method::head, "/", "*").status() == 304);
}

TEST_CASE_FIXTURE(Fixture, "static files: a new set replaces the old one") {
  constexpr std::array<http::EmbeddedFile, 1> other{{{"index.html", "new"}}};
  files.replace(http::FileSet::from_embedded(other));
  CHECK(ask(Method::get, "/").body() == "new");
  CHECK(ask(Method::get, "/app.js").status() == 404);
}

TEST_CASE("static files: If-None-Match compares weakly, in lists") {
  CHECK(http::matches_etag("\"a\"", "\"a\""));
  CHECK(http::matches_etag("W/\"a\"", "\"a\""));
  CHECK(http::matches_etag("\"b\", W/\"x,y\" ,\t\"a\"", "\"a\""));
  CHECK(http::matches_etag(" * ", "\"a\""));
  CHECK(http::matches_etag(", \"b\", , \"a\",", "\"a\""));
  CHECK_FALSE(http::matches_etag(" , ,", "\"a\""));
  CHECK(http::matches_etag("W/\"b\", \"a\"", "\"a\"", http::EtagComparison::strong));
  CHECK_FALSE(http::matches_etag("W/\"a\"", "\"a\"", http::EtagComparison::strong));
  CHECK(http::matches_etag("\"b\",,\"a\"", "\"a\""));
  for (const char* field :
       {"", "a", "\"a", "\"b\"", "\"A\"", "\"b\" \"a\"", "w/\"a\"", "\"aa\"", "\"x\"a\"", ","}) {
    CAPTURE(field);
    CHECK_FALSE(http::matches_etag(field, "\"a\""));
  }
}

TEST_CASE("static files: types go by the name's end") {
  CHECK(http::content_type_of("/a.SVG") == "image/svg+xml");
  CHECK(http::content_type_of("/a.webmanifest") == "application/manifest+json");
  CHECK(http::content_type_of("/a.woff2") == "font/woff2");
  CHECK(http::content_type_of("/a.html.exe") == "application/octet-stream");
  CHECK(http::content_type_of("/js") == "application/octet-stream");
}

TEST_CASE("static files: the policy names the page's own host for WebSockets, if it is nothing but a host") {
  const auto policy = http::content_security_policy("example.org:8080");
  CHECK(policy.find("connect-src 'self' ws://example.org:8080 wss://example.org:8080;") != std::string::npos);
  CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
  CHECK(http::content_security_policy("a;script-src *").find("connect-src 'self';") != std::string::npos);
  CHECK(http::content_security_policy("").find("connect-src 'self';") != std::string::npos);
}

TEST_CASE("static files: a folder is read whole, without dot files") {
  const Folder folder;
  folder.write("index.html", "hello");
  folder.write("img/x.png", std::string_view("\0\xff", 2));
  folder.write(".secret", "x");
  folder.write(".git/config", "x");
  const auto set = http::FileSet::from_directory(folder.path);
  REQUIRE(set.ok());
  CHECK(set->files.size() == 2);
  CHECK(set->files.at("/index.html").bytes.view() == "hello");
  CHECK(set->files.at("/img/x.png").bytes.view() == std::string_view("\0\xff", 2));
}

TEST_CASE("static files: links out of the folder are not followed") {
  const Folder outside;
  outside.write("secret.txt", "x");
  // A folder whose name begins with that of the root is outside.
  const fs::path sibling = fs::path(outside.path.string() + "-root");
  fs::create_directory(sibling);
  std::ofstream(sibling / "index.html") << "in";
  fs::create_symlink(outside.path / "secret.txt", sibling / "out.txt");
  fs::create_symlink("../" + outside.path.filename().string() + "/secret.txt", sibling / "relative.txt");
  fs::create_symlink(outside.path, sibling / "folder");
  fs::create_symlink(sibling / "nothing", sibling / "dangling");
  fs::create_symlink("index.html", sibling / "inside.html");
  const auto set = http::FileSet::from_directory(sibling);
  fs::remove_all(sibling);
  REQUIRE(set.ok());
  CHECK(set->files.size() == 2);
  CHECK(set->files.count("/index.html") == 1);
  CHECK(set->files.count("/inside.html") == 1);
}

TEST_CASE("static files: a folder that can't be read is an error that names it") {
  const auto missing = http::FileSet::from_directory("/nonexistent/web");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message.find("web.root: cannot read /nonexistent/web") == 0);
  const Folder folder;
  folder.write("file", "x");
  CHECK_FALSE(http::FileSet::from_directory(folder.path / "file").ok());
}

TEST_CASE("static files: a folder may hold 64 MiB and 4096 files, and no more") {
  const Folder folder;
  folder.write("big", "");
  fs::resize_file(folder.path / "big", http::FileSet::max_bytes);
  CHECK(http::FileSet::from_directory(folder.path).ok());
  folder.write("one", "x");
  const auto too_big = http::FileSet::from_directory(folder.path);
  REQUIRE_FALSE(too_big.ok());
  CHECK(too_big.error().message.find("67108864") != std::string::npos);
  fs::resize_file(folder.path / "big", 0);
  for (std::size_t i = 2; i < http::FileSet::max_files; ++i)
    folder.write(std::to_string(i), "");
  CHECK(http::FileSet::from_directory(folder.path).ok());
  folder.write("another", "");
  CHECK_FALSE(http::FileSet::from_directory(folder.path).ok());
}

TEST_CASE("static files: what can't be read is skipped and named") {
  const Folder folder;
  folder.write("index.html", "hello");
  fs::create_symlink("nothing", folder.path / "dangling");
  fs::create_symlink("loop", folder.path / "loop");
  fs::create_symlink("/", folder.path / "above");
  fs::create_symlink(".", folder.path / "again");
  const auto set = http::FileSet::from_directory(folder.path);
  REQUIRE(set.ok());
  CHECK(set->files.size() == 1);
  const auto names = [&](const std::string& text) {
    return std::count(set->skipped.begin(), set->skipped.end(), text);
  };
  CHECK(set->skipped.size() == 4);
  CHECK(names("above: leads out of web.root") == 1);
  CHECK(names("again: leads back to a folder that it is in") == 1);
}

TEST_CASE("static files: links to folders below the root are followed, each other's round trips once") {
  const Folder folder;
  folder.write("..volume/css/app.css", "css");
  folder.write("a/a.txt", "a");
  folder.write("b/b.txt", "b");
  fs::create_symlink("..volume/css", folder.path / "css");
  fs::create_symlink("../b", folder.path / "a/b");
  fs::create_symlink("../a", folder.path / "b/a");
  const auto set = http::FileSet::from_directory(folder.path);
  REQUIRE(set.ok());
  CHECK(set->files.size() == 5);
  for (const char* path : {"/css/app.css", "/a/a.txt", "/a/b/b.txt", "/b/b.txt", "/b/a/a.txt"})
    CHECK(set->files.count(path) == 1);
}

TEST_CASE("static files: folders 32 deep are read, deeper ones skipped") {
  const Folder folder;
  std::string path;
  for (std::size_t i = 0; i < http::FileSet::max_depth; ++i)
    path += "d/";
  folder.write(path + "in.txt", "x");
  folder.write(path + "d/out.txt", "x");
  const auto set = http::FileSet::from_directory(folder.path);
  REQUIRE(set.ok());
  CHECK(set->files.size() == 1);
  CHECK(set->skipped.size() == 1);
}

TEST_CASE("static files: the client module is added where there is nothing else") {
  constexpr std::array<http::EmbeddedFile, 4> built_in{{{"client/roomcast.js", "ours"},
                                                        {"client/roomcast/client.js", "ours"},
                                                        {"client/package.json", "ours"},
                                                        {"chat/app.js", "the page's"}}};
  const Folder folder;
  folder.write("roomcast.js", "theirs");
  auto set = http::FileSet::from_directory(folder.path);
  REQUIRE(set.ok());
  set->add_client_module(built_in);
  CHECK(set->files.size() == 2);
  CHECK(set->files.at("/roomcast.js").bytes.view() == "theirs");
  CHECK(set->files.at("/roomcast/client.js").bytes.view() == "ours");
  const auto bundled = http::FileSet::from_embedded(built_in);
  CHECK(bundled.files.size() == 6);
  for (const char* path : {"/client/roomcast.js", "/roomcast.js", "/roomcast/client.js", "/chat/app.js"})
    CHECK(bundled.files.count(path) == 1);
}

TEST_CASE("Text is compressed for clients that accept it, and is another representation then") {
  const std::string text(2000, 'x');
  const std::array<http::EmbeddedFile, 3> some{{{"long.js", text}, {"short.js", "x"}, {"picture.png", text}}};
  http::StaticFiles files{http::FileSet::from_embedded(some), [](const http::Request& request) {
                            return request.headers.get("Accept-Encoding").has_value();
                          }};
  const auto ask = [&](std::string_view path, bool accepts, std::string_view if_none_match = "") {
    ExchangeDouble exchange(Method::get, path);
    if (accepts) exchange.edit().headers.add("Accept-Encoding", "gzip");
    if (!if_none_match.empty()) exchange.edit().headers.add("If-None-Match", std::string(if_none_match));
    files.handle(exchange, path);
    return exchange;
  };
  const auto compressed = ask("/long.js", true);
  const auto& answer = compressed.response();
  CHECK(answer.headers.get("Content-Encoding") == "gzip");
  CHECK(answer.headers.get("Vary") == "Accept-Encoding");
  CHECK(answer.body.size() < 100);
  const auto plain = ask("/long.js", false);
  CHECK_FALSE(plain.response().headers.get("Content-Encoding").has_value());
  CHECK(plain.response().headers.get("Vary") == "Accept-Encoding");
  CHECK(plain.response().body.view() == text);
  const std::string etag(answer.headers.get("ETag").value_or(""));
  CHECK(etag.ends_with("-gzip\""));
  CHECK(etag != plain.response().headers.get("ETag").value_or(""));
  CHECK(ask("/long.js", true, etag).response().status == 304);
  CHECK(ask("/long.js", false, etag).response().status == 200);
  for (const auto* path : {"/short.js", "/picture.png"}) {
    const auto other = ask(path, true);
    CHECK_FALSE(other.response().headers.get("Content-Encoding").has_value());
    CHECK_FALSE(other.response().headers.get("Vary").has_value());
  }
}

TEST_CASE("What is compressed at the start is bounded, at the limit and one past it") {
  const auto accepts = [](const http::Request&) { return true; };
  for (const bool past : {false, true}) {
    const std::string text(http::FileSet::max_gzip_file_bytes + (past ? 1 : 0), 'x');
    const std::array<http::EmbeddedFile, 1> one{{{"a.txt", text}}};
    http::StaticFiles files{http::FileSet::from_embedded(one), accepts};
    ExchangeDouble exchange(Method::get, "/a.txt");
    files.handle(exchange, "/a.txt");
    CHECK(exchange.response().headers.get("Content-Encoding").has_value() == !past);
  }
}

}  // namespace static_files_test
