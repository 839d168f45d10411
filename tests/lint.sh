#!/usr/bin/env bash
# lint.sh CLANG_TIDY JOBS BUILD [FILTER]: clang-tidy over the C++ of src/ whose paths contain FILTER. What it has found
# clean it does not look at again until that, or any header, changes: stamps in BUILD/lint.
set -euo pipefail

tool="$1" jobs="$2" build="$3" filter="${4:-}" stamps="$3/lint" todo=()
newest="$(find src .clang-tidy \( -name '*.h' -o -name .clang-tidy \) -printf '%T@ %p\n' | sort -n | tail -1)"
newest="${newest#* }"
mapfile -t sources < <(find src -path "*$filter*" -name '*.cpp' | sort)
for source in "${sources[@]}"; do
  stamp="$stamps/$source.ok"
  [[ "$stamp" -nt "$source" && "$stamp" -nt "$newest" ]] || todo+=("$source")
done
echo "clang-tidy: ${#sources[@]} files, ${#todo[@]} of them changed since they were last found clean"
[[ ${#sources[@]} -gt 0 ]]
[[ ${#todo[@]} -gt 0 ]] || exit 0
# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\0' "${todo[@]}" | xargs -0 -n1 -P "$jobs" bash -c '
  if output="$("$1" -p "$2/release" --quiet --extra-arg=-Wno-unknown-warning-option "$4" 2>/dev/null)"; then
    mkdir -p "$(dirname "$3/$4")" && touch "$3/$4.ok"
  else
    printf "%s\n%s\n" "$4" "$output"
    exit 1
  fi' lint "$tool" "$build" "$stamps"
