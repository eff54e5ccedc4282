# Set-up shared by ./run and ./test: checks the tools, restores and builds; says what it does and what to do when it can't.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 UseSharedCompilation=true
mkdir -p .build

step() { # title, command...: one line on success, the whole output on failure
  local title=$1 started=$SECONDS log
  shift
  log=$(mktemp .build/step.XXXXXX)
  printf '%s … ' "$title"
  if "$@" >"$log" 2>&1; then
    echo "done ($((SECONDS - started)) s)"
    rm -f "$log"
  else
    echo "failed"
    cat "$log"
    rm -f "$log"
    return 1
  fi
}

need_dotnet() {
  if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
    echo "The .NET 10 SDK is needed. Install it (https://dotnet.microsoft.com/download) and run this again." >&2
    exit 1
  fi
}

need_node() {
  if ! command -v npm >/dev/null; then
    echo "Node.js with npm is needed: it fetches what the portal's pages load, and the tests' foreign peers. Install it (https://nodejs.org) and run this again." >&2
    exit 1
  fi
}

build() { # restores and builds all projects, Release
  step "Restoring" dotnet restore sloring-platform.sln &&
    step "Building" dotnet build sloring-platform.sln -c Release --no-restore -clp:NoSummary -v quiet
}
