#!/usr/bin/env bash
# Builds handstamp and brings it to AWS, the first time and every time after: see
# docs/aws.md. What it does can be seen before with --dry-run, and done again
# after it broke off.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: deploy.sh --stack NAME --site FOLDER --public-key FILE [options]

  --stack NAME         of the CloudFormation stack; letters, digits and hyphens
  --site FOLDER        goes into the gateway's package: config.yaml and what it
                       refers to, such as guide.yaml; no secrets, and better no
                       lists of tickets either, see docs/aws.md
  --public-key FILE    public half of the first signing key, in PEM; only needed
                       until there is a stack, and not looked at later
  --private-key FILE   its private half, which goes into Secrets Manager if there is
                       none yet; with a key in KMS or a secret of your own, leave it
                       out and give --parameter SigningKeyArn=ARN
  --parameter K=V      a parameter of template.yaml (may be repeated); those that are
                       left out stay as they were
  --region REGION      where; empty is that of the AWS CLI
  --bucket NAME        for the packages; made if it is not there. Default:
                       handstamp-code-ACCOUNT-REGION
  --arch ARCH          arm64 or x86_64; default: as the stack has it, arm64 at first
  --authorizer         deploy the ticket authorizer too; a stack that has it keeps
                       it, until --parameter AuthorizerCode= takes it away
  --package            only build the packages, below build/deploy/
  --dry-run            print the commands and run none
TEXT
}

warn() { echo "deploy.sh: warning: $*" >&2; }
die() { echo "deploy.sh: error: $*" >&2; exit 1; }
misused() { echo "deploy.sh: error: $*" >&2; echo "(hint: deploy.sh --help)" >&2; exit 2; }
say() { printf '\n== %s\n' "$*"; }

stack='' site='' public_key='' private_key='' region='' bucket='' arch='' authorizer='' package='' dry=''
parameters=()
while [ $# -gt 0 ]; do
  case $1 in
    --stack | --site | --public-key | --private-key | --parameter | --region | --bucket | --arch)
      [ $# -ge 2 ] || misused "$1 needs a value" ;;&
    --stack) stack=$2; shift 2 ;;
    --site) site=$2; shift 2 ;;
    --public-key) public_key=$2; shift 2 ;;
    --private-key) private_key=$2; shift 2 ;;
    --parameter) parameters+=("$2"); shift 2 ;;
    --region) region=$2; shift 2 ;;
    --bucket) bucket=$2; shift 2 ;;
    --arch) arch=$2; shift 2 ;;
    --authorizer) authorizer=yes; shift ;;
    --package) package=yes; shift ;;
    --dry-run) dry=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) misused "unknown argument \"$1\"" ;;
  esac
done

# check: what can be said without asking anybody.
check() {
  [[ $stack =~ ^[A-Za-z][A-Za-z0-9-]{0,40}$ ]] || misused "--stack \"$stack\", want up to 41 letters, digits and hyphens"
  [ -n "$site" ] || misused "--site is missing"
  [ -f "$site/config.yaml" ] || die "$site/config.yaml: not there, and the gateway does not start without (hint: begin with config.yaml of this repository)"
  case $arch in '' | arm64 | x86_64) ;; *) misused "--arch \"$arch\", want arm64 or x86_64" ;; esac
  for p in ${parameters[@]+"${parameters[@]}"}; do
    [[ $p =~ ^[A-Za-z0-9]+= ]] || misused "--parameter \"$p\", want NAME=VALUE"
  done
  if [ -n "$public_key" ]; then
    grep -q -- '-----BEGIN PUBLIC KEY-----' "$public_key" || die "$public_key: no public key in PEM (hint: \"handstamp keys new\" makes one)"
  fi
  if [ -n "$private_key" ]; then
    grep -q -- 'PRIVATE KEY-----' "$private_key" || die "$private_key: no private key in PEM"
  fi
  command -v go >/dev/null || die "go is not installed, and the gateway has to be compiled"
}

# check_account: what the account says, before anything is made in it.
check_account() {
  command -v aws >/dev/null || die "the AWS CLI is not installed"
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}}
  [ -n "$region" ] || die "no region (hint: --region eu-west-1)"
  account=$(aws sts get-caller-identity --region "$region" --query Account --output text) || die "the AWS CLI has no credentials that work (hint: aws configure)"
  local fault
  if ! status=$(about StackStatus 2>/dev/null); then
    fault=$(about StackStatus 2>&1 || true)
    case $fault in *'does not exist'*) status='' ;; *) die "cannot look at stack \"$stack\": $fault" ;; esac
  fi
  case $status in
    '' | REVIEW_IN_PROGRESS)
      status=''
      [ -n "$public_key" ] || misused "--public-key is missing, and there is no stack \"$stack\" in $region yet"
      ;;
    CREATE_FAILED | ROLLBACK_COMPLETE | ROLLBACK_FAILED | DELETE_FAILED)
      die "stack \"$stack\" is $status: it was never whole, or is not any more, and can only be deleted (hint: $(why); then \"aws cloudformation delete-stack --region $region --stack-name $stack\", and the same again)"
      ;;
    *) check_first_key_stays ;;
  esac
  check_private_key
  check_quota
}

# why: how to find out why a stack was not made.
why() { echo "\"aws cloudformation describe-stack-events --region $region --stack-name $stack\" says why"; }

# about MEMBER: what AWS says of the stack.
about() { aws cloudformation describe-stacks --region "$region" --stack-name "$stack" --query "Stacks[0].$1" --output text; }

# parameter NAME: a parameter of the stack, as it is now.
parameter() { if [ -z "$dry" ]; then about "Parameters[?ParameterKey=='$1'].ParameterValue"; fi; }

# output NAME: an output of the stack.
output() { if [ -n "$dry" ]; then echo "$1"; else about "Outputs[?OutputKey=='$1'].OutputValue"; fi; }

# given NAME: what --parameter NAME=VALUE says; it fails if there is none. The last
# one counts, as for the AWS CLI.
given() {
  local p value found=''
  for p in ${parameters[@]+"${parameters[@]}"}; do
    case $p in "$1="*) value=${p#*=} found=yes ;; esac
  done
  [ -n "$found" ] && echo "$value"
}

# wanted NAME: a parameter as it will be: as it is given, or as the stack has it.
wanted() { given "$1" || { [ -z "$status" ] || parameter "$1"; }; }

# check_first_key_stays: the parameter permits the gateway to sign with that key,
# and it would lose the permission before another key may sign.
check_first_key_stays() {
  local now next
  next=$(given SigningKeyArn) || return 0
  now=$(parameter SigningKeyArn)
  [ "$next" = "$now" ] || die "SigningKeyArn is \"$now\" and stays so, or the gateway would lose the key that signs (hint: name further KMS keys in MoreKmsKeyArns, see \"Updates\" in docs/aws.md)"
}

# bare: a public key in PEM without frame and line ends, to compare it.
bare() { grep -v -- '-----' | tr -d '[:space:]'; }

# check_private_key: it has to be the other half of the public key. CloudFront
# would take nothing that another one signs.
check_private_key() {
  local have want whose=$public_key
  if [ -z "$private_key" ] || ! command -v openssl >/dev/null; then return; fi
  have=$(openssl pkey -in "$private_key" -passin pass: -pubout | bare) || die "$private_key: not a private key that openssl can read"
  if [ -n "$status" ]; then
    whose="the stack's PublicKeyPem" want=$(parameter PublicKeyPem | bare)
  else
    want=$(bare <"$public_key")
  fi
  [ "$have" = "$want" ] || die "$private_key: not the private half of $whose"
}

# check_quota: new accounts often run ten instances of functions at a time, and
# some of them must not be reserved.
check_quota() {
  local total free reserve before=0 least=100
  read -r total free < <(aws lambda get-account-settings --region "$region" \
    --query 'AccountLimit.[ConcurrentExecutions,UnreservedConcurrentExecutions]' --output text 2>/dev/null) || return 0
  if [[ ! "$total $free" =~ ^[0-9]+\ [0-9]+$ ]]; then return; fi
  if [ "$total" -lt 100 ]; then
    least=10
    warn "this account runs $total instances of functions at a time, all functions together; visitors beyond that are turned away (hint: ask for more, see \"Before you begin\" in docs/aws.md)"
  fi
  reserve=$(wanted ReservedConcurrency)
  if [ -n "$status" ]; then before=$(parameter ReservedConcurrency); fi
  if [ "${reserve:-0}" -gt "${before:-0}" ] && [ $((free + ${before:-0} - reserve)) -lt "$least" ]; then
    warn "ReservedConcurrency=$reserve leaves fewer than $least of the $total instances of this account to other functions; Lambda refuses that, and the stack would fail"
  fi
}

# as_before: what is not said stays as the stack has it.
as_before() {
  if [ -n "$status" ]; then
    arch=${arch:-$(parameter Architecture)}
    case $(output AuthorizerArn) in arn:*) given AuthorizerCode >/dev/null || authorizer=yes ;; esac
  fi
  arch=${arch:-arm64}
  case $arch in arm64) goarch=arm64 ;; x86_64) goarch=amd64 ;; esac
}

# run COMMAND...: run it, or with --dry-run print it.
run() {
  if [ -n "$dry" ]; then printf '%q ' "$@"; echo; else "$@"; fi
}

# tags: what is left out of the binaries. Sources of kind web make them a third
# larger, so they are only in them if the site has one.
tags() {
  if grep -Eq "kind[\"']?: *[\"']?web[\"']?([] ,}#]|$)" <<<"$(tr -d '\r' <"$site/config.yaml" | grep -v '^ *#')"; then
    echo lambda.norpc
  else
    echo lambda.norpc,lambda.noweb
  fi
}

# pack NAME PACKAGE [FOLDER]: compile a command and make a Lambda package of it.
pack() {
  run env CGO_ENABLED=0 GOOS=linux GOARCH="$goarch" \
    go build -trimpath -buildvcs=false -tags "$(tags)" -ldflags '-s -w -buildid=' -o "$out/$1" "$2"
  run go run ./deploy/cloudformation/pack "$out/$1.zip" "$out/$1" "${@:3}"
}

# key NAME: what a package is called in the bucket: another content, another name.
key() {
  if [ -n "$dry" ]; then echo "$1-HASH.zip"; else echo "$1-$(sha256sum "$out/$1.zip" | cut -c 1-16).zip"; fi
}

# put_code NAME: bring a package to the bucket.
put_code() { run aws s3 cp --only-show-errors --region "$region" "$out/$1.zip" "s3://$bucket/$(key "$1")"; }

make_bucket() {
  if [ -z "$dry" ] && aws s3api head-bucket --bucket "$bucket" --expected-bucket-owner "$account" >/dev/null 2>&1; then return; fi
  run aws s3 mb --region "$region" "s3://$bucket"
  run aws s3api put-public-access-block --region "$region" --bucket "$bucket" \
    --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
}

# proxies prints the networks by which CloudFront reaches the API. AWS adds some
# now and then, so every deployment asks.
proxies() {
  local id cidrs
  id=$(aws ec2 describe-managed-prefix-lists --region "$region" --filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing \
    --query 'PrefixLists[0].PrefixListId' --output text 2>/dev/null) || return 0
  if [ -z "$id" ] || [ "$id" = None ]; then return 0; fi
  cidrs=$(aws ec2 get-managed-prefix-list-entries --region "$region" --prefix-list-id "$id" --query 'Entries[].Cidr' --output text 2>/dev/null) || return 0
  tr -s '[:space:]' ',' <<<"$cidrs" | sed 's/,$//'
}

update_stack() {
  local all=("CodeBucket=$bucket" "GatewayCode=$(key gateway)" "Architecture=$arch")
  if [ -z "$dry" ]; then networks=$(proxies); fi
  if [ -n "$networks" ]; then
    all+=("TrustedProxies=$networks")
  else
    warn "cannot read the networks of CloudFront (ec2:DescribeManagedPrefixLists, ec2:GetManagedPrefixListEntries); TrustedProxies stays as it was"
  fi
  if [ -n "$authorizer" ]; then all+=("AuthorizerCode=$(key authorizer)"); fi
  # CloudFront lets no public key be changed, so the first one stays for good.
  if [ -n "$public_key" ] && [ -z "$status" ]; then all+=("PublicKeyPem=$(cat "$public_key")"); fi
  run aws cloudformation deploy --region "$region" --stack-name "$stack" --template-file deploy/cloudformation/template.yaml \
    --s3-bucket "$bucket" --s3-prefix templates --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset \
    --parameter-overrides "${all[@]}" ${parameters[@]+"${parameters[@]}"} || die "the stack could not be brought up to date (hint: $(why))"
}

# put_app: the same files, types and caching as the gateway's own.
put_app() {
  local to file kind
  to=s3://$(output AppBucketName)
  for file in pkg/guide/app/*; do
    case $file in
      *.html) kind='text/html; charset=utf-8' ;;
      *.css) kind='text/css; charset=utf-8' ;;
      *.js) kind='text/javascript; charset=utf-8' ;;
      *.svg) kind=image/svg+xml ;;
      *.webmanifest) kind=application/manifest+json ;;
      *) die "$file: no content type is known for it" ;;
    esac
    case $file in
      */index.html) names=(index.html t) ;;
      *) names=("app/${file##*/}") ;;
    esac
    for name in "${names[@]}"; do
      run aws s3 cp --only-show-errors --region "$region" --cache-control no-cache --content-type "$kind" "$file" "$to/$name"
    done
  done
}

# has_value SECRET: whether anything was ever put there.
has_value() {
  [ -z "$dry" ] && aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query VersionId --output text >/dev/null 2>&1
}

# ring: the manifest of the keys in one line, nothing if there is none yet.
ring() {
  if [ -n "$dry" ] || ! has_value "$(output ManifestName)"; then return; fi
  aws secretsmanager get-secret-value --region "$region" --secret-id "$(output ManifestName)" --query SecretString --output text | tr -d '[:space:]'
}

# write_env: what commands on this machine need to work on the same ring and book.
write_env() {
  if [ -n "$dry" ]; then return; fi
  cat >"$out/site.env" <<TEXT
export AWS_REGION=$region
export HANDSTAMP_ENVIRONMENT=production
export HANDSTAMP_HTTP_PUBLIC_URL=$(output SiteUrl)
export HANDSTAMP_MEDIA_URL=$(output SiteUrl)
export HANDSTAMP_BOOK_KIND=dynamodb
export HANDSTAMP_BOOK_TABLE=$(output TableName)
export HANDSTAMP_BOOK_REGION=$region
export HANDSTAMP_BOOK_PEPPER=env:PEPPER
export HANDSTAMP_KEYS_DIR=keys
export HANDSTAMP_KEYS_MANIFEST=secretsmanager:$(output ManifestName)
export HANDSTAMP_KEYS_INTERVAL=60s
export HANDSTAMP_KEYS_REGION=$region
export HANDSTAMP_KEYS_GROUP=$(output KeyGroupId)
${networks:+export HANDSTAMP_HTTP_TRUSTED_PROXIES=$networks}
TEXT
  write_secrets >>"$out/site.env"
}

# write_secrets prints the lines that fetch what config.yaml refers to as env:NAME:
# the pepper, and what the parameter Secrets names.
write_secrets() {
  local one name from member all
  IFS=, read -r -a all <<<"PEPPER=secretsmanager:$(output PepperArn),$(parameter Secrets)"
  for one in "${all[@]}"; do
    name=${one%%=*} from=${one#*=secretsmanager:} member=''
    case $from in
      *'#'*)
        member=" && $name=\$(printf %s \"\$$name\" | jq -er --arg m $(printf %q "${from#*#}") '.[\$m]')"
        from=${from%%#*}
        ;;
    esac
    printf '%s=$(aws secretsmanager get-secret-value --region %s --secret-id %q --query SecretString --output text)%s && export %s || { echo "site.env: cannot read the secret for %s" >&2; false; }\n' \
      "$name" "$region" "$from" "$member" "$name" "$name"
  done
}

# first_key: put the private key where the gateway reads it, and begin the
# manifest with it. Visitors hold no cookies yet, so it need not settle.
first_key() {
  local from id manifest tool=$out/handstamp
  from=$(output SigningKeyFrom) id=$(output PublicKeyId)
  manifest=$(ring)
  case $manifest in *'"activated":'*) return ;; esac # the ring has begun, and what becomes of it is not for us
  case $from in
    kms:*) ;;
    *)
      if ! has_value "${from#secretsmanager:}"; then
        [ -n "$private_key$dry" ] || die "nothing signs yet: ${from#secretsmanager:} is empty (hint: do the same again with --private-key FILE)"
        run aws secretsmanager put-secret-value --region "$region" --secret-id "${from#secretsmanager:}" --secret-string "file://$private_key" --query VersionId --output text
      fi
      ;;
  esac
  run go build -trimpath -o "$tool" ./cmd/handstamp
  if [ -n "$dry" ]; then echo ". $out/site.env"; else . "$out/site.env"; fi
  case $manifest in
    *"\"id\":\"$id\""*) ;;
    *) run "$tool" keys new --config "$site/config.yaml" --from "$from" --id "$id" ;;
  esac
  run "$tool" keys publish "$id" --id "$id" --config "$site/config.yaml"
  run "$tool" keys activate "$id" --force --config "$site/config.yaml"
}

finish() {
  if [ -n "$dry" ]; then return; fi
  aws cloudformation describe-stacks --region "$region" --stack-name "$stack" --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text | sort | sed 's/\t/  /' >"$out/outputs"
  cat "$out/outputs"
  cat <<TEXT

Next:
  . $out/site.env
  handstamp content sync FOLDER s3://$(output MediaBucketName)/PREFIX
  handstamp probe --config $site/config.yaml --attraction ID --bucket https://$(output MediaBucketName).s3.$region.amazonaws.com
TEXT
}

site=${site%/}
case $site in '' | /*) ;; *) site=$PWD/$site ;; esac
case $public_key in '' | /*) ;; *) public_key=$PWD/$public_key ;; esac
case $private_key in '' | /*) ;; *) private_key=$PWD/$private_key ;; esac
cd "$(dirname "$0")/../.."
account=ACCOUNT networks=NETWORKS status='' goarch=''
check
if [ -z "$dry$package" ]; then check_account; fi
as_before
region=${region:-REGION}
bucket=${bucket:-handstamp-code-$account-$region}
out=$PWD/build/deploy/$stack
mkdir -p "$out"

say "packages"
pack gateway ./cmd/lambda "$site"
if [ -n "$authorizer" ]; then pack authorizer ./cmd/authorizer "$site"; fi
if [ -n "$package" ]; then exit 0; fi

say "code bucket"
make_bucket
put_code gateway
if [ -n "$authorizer" ]; then put_code authorizer; fi

say "stack"
update_stack

say "visitor app"
put_app

say "the first key"
write_env
first_key

say "done"
finish
