#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "store/database.h"
#include "store/directory.h"

namespace roomcast::store {

// How the commands of operators open the files of a store. Every error is for them: it names the file and
// what helps.

/// Why no store can be read in `directory`; nothing if there is one.
[[nodiscard]] std::optional<base::Error> check_store_is_there(const std::string& directory);

/// The process that has the store, such as "process 17"; nothing if none has it at the moment.
[[nodiscard]] std::optional<std::string> user_of_store(const std::string& directory);

/// Takes the lock of a store that is there and that nobody uses, for a command that changes it.
[[nodiscard]] base::Result<Directory> lock_store(const std::string& directory);

/// Makes `directory`, for its owner only, or takes it if it is empty.
[[nodiscard]] std::optional<base::Error> make_empty_directory(const std::string& directory);

/// Read-only connections, also while a server uses the store. `corrupt` where the file is damaged, `other`
/// where it is not one of ours or of a newer format.
[[nodiscard]] base::Result<Database, Fault> open_journal_to_read(const std::string& directory);
[[nodiscard]] base::Result<Database, Fault> open_history_to_read(const std::string& directory);

/// What `fault` says, and what helps against it.
[[nodiscard]] base::Error command_error(const Fault& fault);

/// Writes everything that was written to the file, or of the entries of the directory, to the disk.
[[nodiscard]] std::optional<base::Error> sync_path(const std::string& path);

}  // namespace roomcast::store
