#!/usr/bin/env bash
# What deploy/ has for AWS: linted, created in a stand-in for AWS and read back,
# deployed there by deploy.sh, and for Terraform validated and compared. It
# installs what it needs below build/ and skips nothing: what cannot be had makes
# it fail. A real account is not needed, and not looked for.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

# need COMMAND PACKAGE: install a Debian package unless its command is there.
need() {
  if command -v "$1" >/dev/null; then return; fi
  say "installing $2"
  mkdir -p build
  if [ ! -e build/apt-updated ]; then apt-get update -qq && touch build/apt-updated; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >build/deploy-apt.log 2>&1 || { tail -20 build/deploy-apt.log >&2; exit 1; }
}

need jq jq
need openssl openssl

venv=build/venv-deploy
if ! cmp -s test/deploy/requirements.txt "$venv/requirements.txt"; then
  say "installing cfn-lint, moto, the AWS CLI and Terraform"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r test/deploy/requirements.txt
  cp test/deploy/requirements.txt "$venv/requirements.txt"
fi
export PATH=$PWD/$venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

say "cfn-lint"
cfn-lint deploy/cloudformation/template.yaml --regions us-east-1 eu-west-1 ap-southeast-2

say "the schema of Terraform's AWS provider"
schema=build/deploy-schema
package=@cdktf/provider-aws@21.22.1 # of the provider 6.25.0
if [ ! -f "$schema/package.tgz" ] || [ "$(cat "$schema/version" 2>/dev/null)" != "$package" ]; then
  mkdir -p "$schema"
  (cd "$schema" && rm -f ./*.tgz && npm pack --silent "$package" >/dev/null && mv ./*.tgz package.tgz && echo "$package" >version)
fi
python test/deploy/terraform/schema.py --check "$schema/package.tgz"
(cd test/deploy/provider && go vet ./... && go mod verify && go mod tidy -diff)

say "stacks, the deployment, the module"
out=build/deploy-test.log
status=0
python -m unittest discover --start-directory test/deploy --pattern '*_test.py' --verbose >"$out" 2>&1 || status=$?
grep -E '\.\.\. |^Ran |^OK|^FAILED' "$out" || true
if [ "$status" -ne 0 ]; then
  grep -vE '\.\.\. ok$' "$out" | tail -80 >&2
  exit "$status"
fi
if grep -q 'skipped' "$out" || ! grep -q '^Ran [1-9]' "$out"; then
  echo "deploy.sh: tests were skipped" >&2
  exit 1
fi
