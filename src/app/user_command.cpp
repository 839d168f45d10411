#include "app/user_command.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/command_arguments.h"
#include "app/password_prompt.h"
#include "auth/users_file.h"
#include "auth/users_file_edit.h"
#include "base/text.h"

namespace roomcast::app {

namespace {

enum UserExit : int { done = 0, failed = 1, wrong_usage = 2 };

constexpr std::array<std::string_view, 4> flags{"--file", "--config", "--role", "--name"};
constexpr std::array<std::string_view, 3> switches{"--password-stdin", "--help", "-h"};

int fail(const std::string& what, int code = failed) {
  std::fprintf(stderr, "roomcast user: %s\n", what.c_str());
  return code;
}

/// The path of the users file: --file, else what the configuration says.
base::Result<std::string> users_file(const CommandArguments& arguments, config::Sources sources) {
  if (std::string file = arguments.value("--file"); !file.empty()) return file;
  if (std::string file = arguments.value("--config"); !file.empty()) sources.file = std::move(file);
  const auto loaded = config::load(sources);
  if (!loaded) return base::Error{config::to_text(loaded.error())};
  if (!loaded->config.auth.users_file.empty()) return loaded->config.auth.users_file;
  return base::Error{"which file? Name it by --file, or by auth.users_file in the file of --config"};
}

std::optional<std::string> check_password(std::string_view password) {
  if (password.size() < auth::PasswordHash::password_bytes_min) return "a password has at least 8 characters";
  if (password.size() > auth::PasswordHash::password_bytes_max) return "a password has at most 1024 bytes";
  if (!base::is_valid_utf8(password)) return "the password is not UTF-8";
  return std::nullopt;
}

base::Result<auth::PasswordHash> ask_for_password(const CommandArguments& arguments) {
  const bool from_terminal = !arguments.has("--password-stdin") && ::isatty(STDIN_FILENO) != 0;
  auto password = from_terminal ? prompt_for_password() : read_password_line(STDIN_FILENO);
  if (!password) return password.error();
  if (const auto problem = check_password(*password)) return base::Error{*problem};
  return auth::PasswordHash::of(*password);
}

/// A user whose id is the same but for upper and lower case, if there is one.
const auth::User* find_alike(const auth::Users& users, std::string_view id) {
  const auto found = std::find_if(users.all().begin(), users.all().end(), [id](const auth::User& user) {
    return base::equals_ignoring_case(user.id, id);
  });
  return found == users.all().end() ? nullptr : &*found;
}

int add(const std::string& path, const std::string& id, const CommandArguments& arguments) {
  if (const auto problem = auth::check_user_id(id)) return fail(*problem, wrong_usage);
  const std::vector<std::string> roles = arguments.all("--role");
  for (const std::string& role : roles) {
    if (const auto problem = auth::check_role(role)) return fail(*problem, wrong_usage);
  }
  if (roles.size() > auth::Users::roles_max) return fail("a user has at most 32 roles", wrong_usage);
  const std::string name = arguments.value("--name");
  if (const auto problem = auth::check_display_name(name)) return fail(*problem, wrong_usage);
  auto password = ask_for_password(arguments);
  if (!password) return fail(password.error().message);
  auto edit = auth::UsersFileEdit::open(path, true);
  if (!edit) return fail(edit.error().message);
  if (const auth::User* const alike = find_alike(edit->users(), id))
    return fail("there is a user " + alike->id + " already");
  edit->put({id, *std::move(password), roles, name});
  if (const auto error = edit->save()) return fail(error->message);
  std::printf("user %s added\n", id.c_str());
  return done;
}

int change_password(const std::string& path, const std::string& id, const CommandArguments& arguments) {
  const auto has_user = [&id](const auth::Users& users) { return users.find(id) != nullptr; };
  const std::string none = "there is no user " + id;
  {
    const auto text = auth::read_users_text(path);
    if (!text) return fail(text.error().message);
    const auto users = auth::Users::parse(*text);
    if (!users) return fail(path + ": " + users.error().message);
    if (!has_user(*users)) return fail(none);
  }
  auto password = ask_for_password(arguments);
  if (!password) return fail(password.error().message);
  auto edit = auth::UsersFileEdit::open(path, false);
  if (!edit) return fail(edit.error().message);
  if (!has_user(edit->users())) return fail(none);
  auth::User user = *edit->users().find(id);
  user.password = *std::move(password);
  edit->put(user);
  if (const auto error = edit->save()) return fail(error->message);
  std::printf("password of %s changed\n", id.c_str());
  return done;
}

int remove(const std::string& path, const std::string& id) {
  auto edit = auth::UsersFileEdit::open(path, false);
  if (!edit) return fail(edit.error().message);
  if (edit->users().find(id) == nullptr) return fail("there is no user " + id);
  edit->remove(id);
  if (const auto error = edit->save()) return fail(error->message);
  std::printf("user %s removed\n", id.c_str());
  return done;
}

int list(const std::string& path) {
  const auto text = auth::read_users_text(path);
  if (!text) return fail(text.error().message);
  const auto users = auth::Users::parse(*text);
  if (!users) return fail(path + ": " + users.error().message);
  for (const auth::User& user : users->all()) {
    std::string roles;
    for (const std::string& role : user.roles)
      roles.append(roles.empty() ? "" : ",").append(role);
    std::printf("%s\t%s\t%s\n", user.id.c_str(), roles.c_str(), user.name.c_str());
  }
  return done;
}

}  // namespace

int run_user_command(std::span<const std::string_view> arguments, config::Sources sources) {
  const auto read = read_arguments(arguments, flags, switches);
  if (!read) return fail(read.error().message, wrong_usage);
  if (read->has("--help") || read->has("-h"))
    return std::fputs(user_help_text().data(), stdout) < 0 ? failed : done;
  const std::string what = read->words.empty() ? "" : read->words.front();
  const bool is_list = what == "list";
  if (!is_list && what != "add" && what != "passwd" && what != "remove")
    return fail("add, passwd, remove or list? --help says more", wrong_usage);
  if (read->words.size() != (is_list ? 1U : 2U))
    return fail(what + (is_list ? " takes no name" : " takes one name"), wrong_usage);
  if (what != "add" && (!read->value("--name").empty() || !read->all("--role").empty()))
    return fail("--name and --role go with add", wrong_usage);
  const auto path = users_file(*read, std::move(sources));
  if (!path) return fail(path.error().message, wrong_usage);
  if (is_list) return list(*path);
  const std::string& id = read->words.back();
  if (what == "add") return add(*path, id, *read);
  return what == "remove" ? remove(*path, id) : change_password(*path, id, *read);
}

std::string_view user_help_text() {
  return R"(Usage: roomcast user add NAME [--role ROLE]... [--name "DISPLAY NAME"]
       roomcast user passwd NAME
       roomcast user remove NAME
       roomcast user list

Changes the users file, which is named by --file FILE, or by auth.users_file in the
configuration (--config FILE, or the environment). The password is asked for at the terminal,
twice; --password-stdin, or no terminal, takes it from the first line of standard input.
A server that uses the file notices the change when the next user signs in.
Exit codes: 0, 1 if the file or the user are not as they would have to be, 2 for wrong usage.
)";
}

}  // namespace roomcast::app
