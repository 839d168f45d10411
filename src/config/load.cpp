#include "config/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>

#include "config/schema.h"
#include "config/service_variables.h"
#include "config/spelling.h"
#include "config/toml_document.h"

namespace roomcast::config {
namespace {

constexpr std::size_t file_bytes_max = 1'048'576;
constexpr std::string_view environment_prefix = "ROOMCAST_";

struct FileText {
  std::string text;
  bool is_regular = true;
};

base::Error failure(const char* what, int error) { return {std::string(what) + ": " + std::strerror(error)}; }

/// A socket in place of standard input, which open(2) refuses, is read as it stands.
int open_file(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (descriptor >= 0 || errno != ENXIO || path != "/dev/stdin") return descriptor;
  return ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
}

/// With `only_regular` nothing but a regular file is read: a pipe would be empty by now, or make the process
/// block until something is written into it.
base::Result<FileText> read_file(const std::string& path, bool only_regular) {
  const int descriptor = open_file(path, only_regular ? O_NONBLOCK : 0);
  if (descriptor < 0) return failure("cannot be opened", errno);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(::fdopen(descriptor, "rb"), std::fclose);
  if (!file) {
    const int error = errno;
    ::close(descriptor);
    return failure("cannot be opened", error);
  }
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return failure("cannot be read", errno);
  FileText read;
  read.is_regular = S_ISREG(facts.st_mode);
  if (only_regular && !read.is_regular && !S_ISDIR(facts.st_mode)) {
    return base::Error{"is not a regular file any more"};
  }
  read.text.resize(file_bytes_max + 1);
  read.text.resize(std::fread(read.text.data(), 1, read.text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failure("cannot be read", errno);
  if (read.text.size() > file_bytes_max) {
    return base::Error{"is larger than " + std::to_string(file_bytes_max) + " bytes"};
  }
  return read;
}

bool is_section(std::string_view name) {
  return std::any_of(settings().begin(), settings().end(),
                     [name](const Setting& setting) { return section_of(setting) == name; });
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const Setting& setting : settings())
    names.emplace_back(setting.name);
  return names;
}

std::vector<std::string> all_environment_names() {
  std::vector<std::string> names;
  for (const Setting& setting : settings())
    names.push_back(environment_name(setting));
  return names;
}

/// Collects values and errors from one source after the other.
class Loader {
 public:
  /// `file` is what the file is called in messages.
  Loader(const Checks& checks, std::string file) : checks_(checks), file_(std::move(file)) {
    loaded_.came_from.assign(settings().size(), "default");
  }

  void take_toml(std::string_view text);
  void take_environment(const std::vector<std::string_view>& environment);
  void take_override(const Override& override);
  void add_error(std::string where, std::string what) {
    errors_.push_back({std::move(where), std::move(what)});
  }
  [[nodiscard]] base::Result<Loaded, ConfigErrors> finish();

 private:
  [[nodiscard]] std::string at(const Place& place) const;
  void take(const Setting& setting, const Value& value, const std::string& where, std::string came_from);
  void add_unknown_key(const std::string& where, const std::string& key);
  [[nodiscard]] TextCheck check_of(TextForm form) const;
  [[nodiscard]] std::optional<std::string> check_text(TextForm form, const std::string& text) const;
  [[nodiscard]] std::optional<std::string> check_list(TextForm form,
                                                      const std::vector<std::string>& texts) const;
  [[nodiscard]] std::optional<ElementError> check_tables(const TableList& list,
                                                         const std::vector<Table>& tables) const;
  /// The texts of a value that suits its setting.
  [[nodiscard]] std::optional<ElementError> check_texts(const Setting& setting, const Value& value) const;
  [[nodiscard]] const std::string& came_from(std::string_view name) const;
  void check_certificate_pair();

  const Checks& checks_;
  std::string file_;
  Loaded loaded_;
  ConfigErrors errors_;
};

std::string Loader::at(const Place& place) const {
  return file_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

void Loader::take(const Setting& setting, const Value& value, const std::string& where,
                  std::string came_from) {
  Place within;
  auto problem = assign(setting, value, loaded_.config, &within);
  if (!problem) {
    if (auto error = check_texts(setting, value)) {
      problem = std::move(error->what);
      within = error->place;
    }
  }
  if (problem) {
    return add_error(within.line == 0 ? where : at(within), std::string(setting.name) + ": " + *problem);
  }
  loaded_.came_from[static_cast<std::size_t>(&setting - settings().data())] = std::move(came_from);
}

TextCheck Loader::check_of(TextForm form) const {
  switch (form) {
    case TextForm::address:
      return checks_.address;
    case TextForm::origin:
      return checks_.origin;
    case TextForm::network:
      return checks_.network;
    case TextForm::host:
      return checks_.host;
    case TextForm::header:
      return checks_.header;
    case TextForm::cookie:
      return checks_.cookie;
    case TextForm::who:
      return checks_.who;
    case TextForm::permission:
      return checks_.permission;
    case TextForm::redis_server:
      return checks_.redis_server;
    case TextForm::redis_prefix:
      return checks_.redis_prefix;
    case TextForm::node_name:
      return checks_.node_name;
  }
  return {};
}

std::optional<std::string> Loader::check_text(TextForm form, const std::string& text) const {
  const TextCheck check = check_of(form);
  if (check == nullptr) return std::nullopt;
  // Any part of a malformed address may be the password.
  if (auto wrong = check(text))
    return form == TextForm::redis_server ? *wrong : describe(text) + ": " + *wrong;
  return std::nullopt;
}

std::optional<std::string> Loader::check_list(TextForm form, const std::vector<std::string>& texts) const {
  for (const std::string& text : texts) {
    if (auto wrong = check_text(form, text)) return wrong;
  }
  return std::nullopt;
}

std::optional<ElementError> Loader::check_tables(const TableList& list,
                                                 const std::vector<Table>& tables) const {
  if (list.form == nullptr) return std::nullopt;
  for (const Table& table : tables) {
    for (const Table::Item& item : table.items) {
      const auto form = list.form(item.key);
      if (!form) continue;
      const auto* text = std::get_if<std::string>(&item.value);
      const auto wrong = text != nullptr ? check_text(*form, *text)
                                         : check_list(*form, std::get<std::vector<std::string>>(item.value));
      if (wrong) return ElementError{item.key + ": " + *wrong, item.place};
    }
  }
  return std::nullopt;
}

std::optional<ElementError> Loader::check_texts(const Setting& setting, const Value& value) const {
  if (const auto* list = std::get_if<TableList>(&setting.kind)) {
    const auto* tables = std::get_if<std::vector<Table>>(&value);
    return tables == nullptr ? std::nullopt : check_tables(*list, *tables);
  }
  std::optional<std::string> wrong;
  if (const auto* list = std::get_if<TextList>(&setting.kind)) {
    wrong = check_list(list->form, std::get<std::vector<std::string>>(value));
  } else if (const auto* kind = std::get_if<Text>(&setting.kind); kind != nullptr && kind->form) {
    const auto& text = std::get<std::string>(value);
    if (!text.empty() || *kind->form == TextForm::redis_prefix) wrong = check_text(*kind->form, text);
  }
  if (!wrong) return std::nullopt;
  return ElementError{std::move(*wrong), {}};
}

void Loader::add_unknown_key(const std::string& where, const std::string& key) {
  if (is_section(key)) {
    return add_error(
        where,
        key + " is a section, expected keys in it, such as " +
            std::string(std::find_if(settings().begin(), settings().end(), [&key](const Setting& setting) {
                          return section_of(setting) == key;
                        })->name));
  }
  // [rooms] where [[rooms]] is meant.
  const Setting* tables = find_setting(key.substr(0, key.rfind('.')));
  if (tables != nullptr) {
    return add_error(where,
                     std::string(tables->name) + ": expected " + expectation(*tables) + ", found a table");
  }
  add_error(where, "unknown key " + describe(key) + did_you_mean(key, all_names()));
}

void Loader::take_toml(std::string_view text) {
  const auto entries = read_toml(text);
  if (!entries) {
    const TomlError& error = entries.error();
    return add_error(error.line == 0 ? file_ : at({error.line, error.column}),
                     "not valid TOML: " + error.message);
  }
  for (const TomlEntry& entry : *entries) {
    const std::string where = at({entry.line, entry.column});
    const bool is_table = std::holds_alternative<Unsuitable>(entry.value);
    if (const Setting* setting = find_setting(entry.key)) {
      take(*setting, entry.value, where, file_ + ":" + std::to_string(entry.line));
    } else if (!is_table || !is_section(entry.key)) {
      add_unknown_key(where, entry.key);
    }
  }
}

void Loader::take_environment(const std::vector<std::string_view>& environment) {
  const std::vector<std::string> names = all_environment_names();
  for (const std::string_view variable : environment) {
    if (!variable.starts_with(environment_prefix)) continue;
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name(variable.substr(0, equals));
    const std::string where = "environment " + name;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      if (is_service_variable(name, variable.substr(equals + 1))) {
        loaded_.service_variables.push_back(name);
        continue;
      }
      add_error(where, "there is no setting of this name" + did_you_mean(name, names));
      continue;
    }
    const Setting& setting = settings()[static_cast<std::size_t>(found - names.begin())];
    take(setting, parse_text(setting, variable.substr(equals + 1)), where, where);
  }
}

void Loader::take_override(const Override& override) {
  const Setting* setting = find_setting(override.key);
  if (setting == nullptr) return add_unknown_key(override.source, override.key);
  const auto* text = std::get_if<std::string>(&override.value);
  const Value value = text != nullptr ? parse_text(*setting, *text)
                                      : Value(std::get<std::vector<std::string>>(override.value));
  take(*setting, value, override.source, override.source);
}

const std::string& Loader::came_from(std::string_view name) const {
  return loaded_.came_from[static_cast<std::size_t>(find_setting(name) - settings().data())];
}

void Loader::check_certificate_pair() {
  const Config::Tls& tls = loaded_.config.tls;
  if (tls.certificate.empty() == tls.key.empty()) return;
  const bool has_key = !tls.key.empty();
  add_error(
      came_from(has_key ? "tls.key" : "tls.certificate"),
      has_key ? "tls.key is set, but tls.certificate is not" : "tls.certificate is set, but tls.key is not");
}

base::Result<Loaded, ConfigErrors> Loader::finish() {
  check_certificate_pair();
  if (!errors_.empty()) return std::move(errors_);
  return std::move(loaded_);
}

base::Result<Loaded, ConfigErrors> load_with(const Sources& sources, const base::Result<std::string>* text) {
  const std::string file = sources.file.value_or("config");
  Loader loader(sources.checks, file);
  for (const Override& one : sources.defaults)
    loader.take_override(one);
  if (text != nullptr && text->ok()) loader.take_toml(**text);
  if (text != nullptr && !text->ok()) loader.add_error(file, text->error().message);
  loader.take_environment(sources.environment);
  for (const Override& override : sources.overrides)
    loader.take_override(override);
  return loader.finish();
}

}  // namespace

std::string to_text(const ConfigErrors& errors) {
  std::string out;
  for (const ConfigError& error : errors) {
    if (!out.empty()) out += '\n';
    out += error.where + ": " + error.what;
  }
  return out;
}

base::Result<Loaded, ConfigErrors> load(const Sources& sources) {
  if (!sources.file) return load_with(sources, nullptr);
  if (sources.text_read_once) return load_text(*sources.text_read_once, sources);
  auto file = read_file(*sources.file, sources.is_reload);
  base::Result<std::string> text =
      file.ok() ? base::Result<std::string>(file->text) : base::Result<std::string>(std::move(file.error()));
  auto loaded = load_with(sources, &text);
  if (loaded && !file->is_regular) loaded->text_read_once = std::move(file->text);
  return loaded;
}

base::Result<Loaded, ConfigErrors> load_text(std::string_view text, const Sources& sources) {
  const base::Result<std::string> result{std::string(text)};
  return load_with(sources, &result);
}

}  // namespace roomcast::config
