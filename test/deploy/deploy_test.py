"""deploy/cloudformation/deploy.sh: what it says, and what it brings to a stand-in
for AWS."""

import io
import json
import os
import pathlib
import shlex
import shutil
import tempfile
import unittest
import zipfile

import cloud
from site_stack import PUBLIC_KEY, ROOT, run

DEPLOY = str(ROOT / "deploy" / "cloudformation" / "deploy.sh")
CONFIG = """\
sources:
  - {id: list, kind: roll, file: tickets.csv}
attractions:
  - {id: castle, name: Castle, timezone: Europe/Madrid, packages: [{id: audio, name: Audio guide}], free: [free], sources: [list]}
"""
# Secrets that config.yaml refers to have to be there for every command that loads it.
SECRETS = """\
admin:
  listen: 127.0.0.1:8443
  keys:
    - {id: desk, key: "env:DESK", scopes: ["tickets:read"]}
    - {id: shop, key: "env:SHOP", scopes: ["tickets:issue"]}
"""
WEB = "  - {id: shop, kind: web, settings: shop.yaml}\n"


class Workplace(unittest.TestCase):
    """A folder with a site and a key."""

    def setUp(self):
        self.dir = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.site = self.dir / "site"
        self.site.mkdir()
        (self.site / "config.yaml").write_text(CONFIG)
        (self.site / "tickets.csv").write_text("code,attraction\nCASTLE-1,castle\n")
        (self.dir / "key.pub.pem").write_text(PUBLIC_KEY)
        self.stack = "test-" + self.dir.name.replace("_", "")
        self.addCleanup(shutil.rmtree, ROOT / "build" / "deploy" / self.stack, ignore_errors=True)

    def stand_in(self, **programs):
        """The path of a folder with programs, before the ones that are there."""
        folder = self.dir / "bin"
        folder.mkdir(exist_ok=True)
        for name, text in programs.items():
            (folder / name).write_text("#!/usr/bin/env bash\n" + text)
            (folder / name).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def make_key(self):
        """A new pair of keys, public and private."""
        made = run("go", "run", "./cmd/handstamp", "keys", "new", "--type", "ecdsa", "--dir", str(self.dir / "keys"), "--id", "KFIRST000001")
        self.assertEqual(0, made.returncode, made.stderr)
        return tuple(str(self.dir / "keys" / ("KFIRST000001" + end)) for end in (".pub.pem", ".pem"))

    def deploy(self, *args, **kwargs):
        return run(DEPLOY, "--stack", self.stack, "--site", str(self.site), *args, **kwargs)


class UsageTest(Workplace):
    def test_refusals(self):
        key = str(self.dir / "key.pub.pem")
        tests = [
            ((), 2, '--stack ""'),
            (("--stack", "a b", "--site", str(self.site)), 2, '--stack "a b"'),
            (("--stack", "a", "--what"), 2, 'unknown argument "--what"'),
            (("--stack",), 2, "--stack needs a value"),
            (("--stack", "a"), 2, "--site is missing"),
            (("--stack", "a", "--site", str(self.dir)), 1, "config.yaml: not there"),
            (("--stack", "a", "--site", str(self.site), "--arch", "arm"), 2, '--arch "arm"'),
            (("--stack", "a", "--site", str(self.site), "--parameter", "Domain"), 2, '--parameter "Domain"'),
            (("--stack", "a", "--site", str(self.site), "--public-key", str(self.site / "config.yaml")), 1, "no public key in PEM"),
            (("--stack", "a", "--site", str(self.site), "--private-key", key), 1, "no private key in PEM"),
        ]
        for args, status, says in tests:
            out = run(DEPLOY, *args)
            self.assertEqual((status, True, ""), (out.returncode, says in out.stderr, out.stdout), f"deploy.sh {args}: {out.stderr}")

    def test_dry_run_runs_nothing(self):
        out = self.deploy("--public-key", str(self.dir / "key.pub.pem"), "--authorizer", "--dry-run", "--parameter", "Firewall=off",
                          PATH="/usr/bin:/bin:" + str(pathlib.Path(shutil.which("go")).parent), AWS_ENDPOINT_URL="http://127.0.0.1:1")
        self.assertEqual((0, ""), (out.returncode, out.stderr))
        for command in ("GOARCH=arm64 go build -trimpath -buildvcs=false", "aws cloudformation deploy", "Firewall=off", "s3://AppBucketName/index.html", "s3://AppBucketName/t"):
            self.assertIn(command, out.stdout)
        self.assertEqual([], list((ROOT / "build" / "deploy" / self.stack).iterdir()), "a dry run made files")

    def test_sources_of_kind_web_are_built_in(self):
        for text, wanted in (
            (CONFIG, False),
            (CONFIG.replace("attractions:", WEB + "attractions:"), True),
            (CONFIG.replace("attractions:", WEB.replace("kind: web", "kind: 'web'") + "attractions:"), True),
            (CONFIG.replace("attractions:", WEB.replace("kind: web", '"kind": "web"') + "attractions:"), True),
            (CONFIG.replace("attractions:", WEB.replace("id: shop", 'id: "a#b"') + "attractions:"), True),
            (CONFIG.replace("attractions:", "  - id: shop\r\n    kind: web\r\nattractions:"), True),
            (CONFIG.replace("attractions:", "  # - {id: shop, kind: web}\nattractions:"), False),
            (CONFIG.replace("attractions:", "  - {id: shop, kind: website}\nattractions:"), False),
        ):
            (self.site / "config.yaml").write_bytes(text.encode())
            out = self.deploy("--public-key", str(self.dir / "key.pub.pem"), "--dry-run")
            self.assertEqual((0, not wanted), (out.returncode, "lambda.noweb" in out.stdout), text + out.stderr)

    def test_no_private_key_goes_into_a_package(self):
        made = run("go", "run", "./cmd/handstamp", "keys", "new", "--dir", str(self.site / "keys"), "--id", "KFIRST000001")
        self.assertEqual(0, made.returncode, made.stderr)
        out = self.deploy("--package")
        self.assertEqual(1, out.returncode, out.stdout)
        self.assertIn("KFIRST000001.pem has a private key", out.stderr)


class AccountTest(Workplace):
    """What the script says of an account before it makes anything there."""

    def ask(self, *args, stack="", limits="1000 1000", **parameters):
        """Deploy where AWS knows so much and compiling fails."""
        known = "".join(f"*ParameterKey==\\'{k}\\'*) echo {shlex.quote(v)} ;;\n" for k, v in parameters.items())
        path = self.stand_in(go="echo compiling >&2; exit 3\n", aws=f"""
case "$*" in
"sts get-caller-identity "*) echo 123456789012 ;;
*StackStatus*)
  case "{stack}" in
  "") echo "An error occurred (ValidationError): Stack with id x does not exist" >&2; exit 254 ;;
  THROTTLED) echo "An error occurred (Throttling): Rate exceeded" >&2; exit 254 ;;
  *) echo "{stack}" ;;
  esac ;;
{known}*ParameterKey==*|*OutputKey==*) echo ;;
"lambda get-account-settings "*) [ -n "{limits}" ] && echo "{limits}" ;;
*) echo "did not expect: $*" >&2; exit 9 ;;
esac
""")
        out = self.deploy(*args, PATH=path)
        self.assertNotIn("did not expect", out.stderr)
        return out

    def test_stacks_that_can_only_be_deleted(self):
        for status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            out = self.ask("--public-key", str(self.dir / "key.pub.pem"), stack=status)
            self.assertEqual((1, False), (out.returncode, "compiling" in out.stderr), out.stderr)
            for part in (status, "describe-stack-events", f"delete-stack --region us-east-1 --stack-name {self.stack}"):
                self.assertIn(part, out.stderr)
        out = self.ask("--public-key", str(self.dir / "key.pub.pem"), stack="THROTTLED")
        self.assertEqual((1, False, True), (out.returncode, "compiling" in out.stderr, "Rate exceeded" in out.stderr), out.stderr)
        for status in ("CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
            self.assertIn("compiling", self.ask(stack=status).stderr)
        for status in ("", "REVIEW_IN_PROGRESS"):
            out = self.ask(stack=status)
            self.assertEqual((2, True), (out.returncode, "--public-key is missing" in out.stderr), out.stderr)

    def test_the_first_key_stays(self):
        other = "arn:aws:kms:us-east-1:123456789012:key/1"
        for now, next_one, wanted in (("", other, False), (other, other + "2", False), (other, other, True), ("", "", True)):
            out = self.ask("--parameter", "SigningKeyArn=" + next_one, stack="CREATE_COMPLETE", SigningKeyArn=now)
            self.assertEqual((wanted, not wanted), ("compiling" in out.stderr, "MoreKmsKeyArns" in out.stderr), out.stderr)

    def test_the_private_key_is_that_of_the_public_one(self):
        public, private = self.make_key()
        for shown, stack, there, wanted in ((public, "", "", True), (str(self.dir / "key.pub.pem"), "", "", False),
                                            (public, "CREATE_COMPLETE", pathlib.Path(public).read_text(), True), (public, "CREATE_COMPLETE", PUBLIC_KEY, False)):
            out = self.ask("--public-key", shown, "--private-key", private, stack=stack, PublicKeyPem=there)
            self.assertEqual((wanted, not wanted), ("compiling" in out.stderr, "not the private half of" in out.stderr), out.stderr)

    def test_quota(self):
        key = ("--public-key", str(self.dir / "key.pub.pem"))
        few, reserve = "this account runs 10 instances", "leaves fewer than"
        for args, limits, stack, before, wanted in (
            (key, "1000 1000", "", "", []),
            (key, "10 10", "", "", [few]),
            (key, "", "", "", []),
            ((*key, "--parameter", "ReservedConcurrency=5"), "10 10", "", "", [few, reserve]),
            ((*key, "--parameter", "ReservedConcurrency=900"), "1000 1000", "", "", []),
            ((*key, "--parameter", "ReservedConcurrency=901"), "1000 1000", "", "", [reserve]),
            ((), "1000 99", "CREATE_COMPLETE", "901", []),
            (("--parameter", "ReservedConcurrency=905"), "1000 99", "CREATE_COMPLETE", "901", [reserve]),
            (("--parameter", "ReservedConcurrency=100"), "1000 99", "CREATE_COMPLETE", "901", []),
        ):
            out = self.ask(*args, limits=limits, stack=stack, ReservedConcurrency=before)
            self.assertEqual(wanted, [w for w in (few, reserve) if w in out.stderr], f"{args} of {limits}: {out.stderr}")
            self.assertEqual(len(wanted), out.stderr.count("warning"), out.stderr)
            self.assertIn("compiling", out.stderr)


class DeployTest(Workplace):
    def test_twice(self):
        aws = self.enterContext(cloud.Cloud())
        (self.site / "config.yaml").write_text(CONFIG + SECRETS)
        for name, text in (("desk", "d" * 32), ("shop", json.dumps({"token": "s$" * 16}))):
            aws.client("secretsmanager").create_secret(Name=f"{self.stack}/secrets/{name}", SecretString=text)
        public, private = self.make_key()
        first = self.deploy("--public-key", public, "--private-key", private, "--authorizer", "--arch", "x86_64", "--parameter",
                            f"Secrets=DESK=secretsmanager:{self.stack}/secrets/desk,SHOP=secretsmanager:{self.stack}/secrets/shop#token", cloud=aws)
        self.assertEqual(0, first.returncode, first.stdout + first.stderr)
        outputs = self.outputs(aws)
        self.assertNotIn("warning", first.stderr)
        self.check_package(aws)
        self.check_app(aws, outputs["AppBucketName"])
        self.check_ring(aws, outputs)
        self.check_proxies(aws)
        self.check_environment(aws)
        self.break_off(aws, outputs)
        again = self.deploy(cloud=aws, PATH=self.stand_in(aws=f"""
if [ "$2" = get-managed-prefix-list-entries ]; then echo UnauthorizedOperation >&2; exit 254; fi
exec {shlex.quote(shutil.which("aws"))} "$@"
"""))
        self.assertEqual(0, again.returncode, again.stdout + again.stderr)
        self.assertIn("warning: cannot read the networks of CloudFront", again.stderr)
        self.assertEqual(outputs, self.outputs(aws), "the second deployment changed what was there")
        self.assertIn("AuthorizerArn", outputs)
        self.assertEqual((1, 1), (len(self.packages(aws)), len(self.packages(aws, "authorizer-"))), "the same sources made another package")
        self.check_ring(aws, outputs)
        self.check_proxies(aws)

    def break_off(self, aws, outputs):
        """Put the manifest back to what "keys new" had left."""
        secrets = aws.client("secretsmanager")
        manifest = json.loads(secrets.get_secret_value(SecretId=outputs["ManifestName"])["SecretString"])
        for k in manifest["keys"]:
            k["state"] = "upcoming"
            del k["published"], k["activated"]
        secrets.put_secret_value(SecretId=outputs["ManifestName"], SecretString=json.dumps(manifest, indent=2))

    def check_environment(self, aws):
        file = ROOT / "build" / "deploy" / self.stack / "site.env"
        out = run("bash", "-c", f'. {file} && echo "$AWS_REGION $DESK $SHOP ${{#PEPPER}}"', cloud=aws, AWS_DEFAULT_REGION="", AWS_REGION="")
        self.assertEqual("us-east-1 " + "d" * 32 + " " + "s$" * 16 + " 48\n", out.stdout, out.stderr)
        aws.client("secretsmanager").delete_secret(SecretId=f"{self.stack}/secrets/shop", RecoveryWindowInDays=30)
        out = run("bash", "-c", f". {file}; exit", cloud=aws)
        self.assertEqual((1, True), (out.returncode, "cannot read the secret for SHOP" in out.stderr), out.stderr)
        aws.client("secretsmanager").restore_secret(SecretId=f"{self.stack}/secrets/shop")

    def outputs(self, aws):
        stack = aws.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}

    def check_proxies(self, aws):
        [function] = [f for f in aws.client("lambda").list_functions()["Functions"] if "Gateway" in f["FunctionName"]]
        proxies = function["Environment"]["Variables"]["HANDSTAMP_HTTP_TRUSTED_PROXIES"]
        ec2 = aws.client("ec2")
        [listed] = ec2.describe_managed_prefix_lists(
            Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}])["PrefixLists"]
        entries = ec2.get_managed_prefix_list_entries(PrefixListId=listed["PrefixListId"])["Entries"]
        self.assertGreater(len(entries), 1)
        self.assertEqual({e["Cidr"] for e in entries}, set(proxies.split(",")))

    def packages(self, aws, begin="gateway-"):
        listed = aws.client("s3").list_objects_v2(Bucket="handstamp-code-123456789012-us-east-1")["Contents"]
        return [o["Key"] for o in listed if o["Key"].startswith(begin)]

    def check_package(self, aws):
        [key] = self.packages(aws)
        body = aws.client("s3").get_object(Bucket="handstamp-code-123456789012-us-east-1", Key=key)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as z:
            self.assertEqual(["bootstrap", "config.yaml", "tickets.csv"], z.namelist())
            self.assertEqual(0o755, z.getinfo("bootstrap").external_attr >> 16 & 0o777)
            self.assertEqual((b"\x7fELF", 62), (z.read("bootstrap")[:4], z.read("bootstrap")[18]), "a binary for x86_64")
            self.assertEqual(CONFIG + SECRETS, z.read("config.yaml").decode())

    def check_app(self, aws, bucket):
        s3 = aws.client("s3")
        there = {o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]}
        files = {p.name for p in (ROOT / "pkg" / "guide" / "app").iterdir()} - {"index.html"}
        self.assertEqual({"index.html", "t"} | {"app/" + f for f in files}, there)
        for key, kind in (("index.html", "text/html; charset=utf-8"), ("t", "text/html; charset=utf-8"), ("app/app.js", "text/javascript; charset=utf-8"),
                          ("app/manifest.webmanifest", "application/manifest+json")):
            head = s3.head_object(Bucket=bucket, Key=key)
            self.assertEqual((kind, "no-cache"), (head["ContentType"], head["CacheControl"]), key)

    def check_ring(self, aws, outputs):
        secrets = aws.client("secretsmanager")
        manifest = json.loads(secrets.get_secret_value(SecretId=outputs["ManifestName"])["SecretString"])
        self.assertEqual([(outputs["PublicKeyId"], "active", outputs["SigningKeyFrom"])], [(k["id"], k["state"], k["from"]) for k in manifest["keys"]])
        group = aws.client("cloudfront").get_key_group(Id=outputs["KeyGroupId"])["KeyGroup"]["KeyGroupConfig"]["Items"]
        self.assertEqual([outputs["PublicKeyId"]], group)
        key = aws.client("cloudfront").get_public_key(Id=outputs["PublicKeyId"])["PublicKey"]["PublicKeyConfig"]["EncodedKey"]
        self.assertEqual(manifest["keys"][0]["public_key"].strip(), key.strip(), "what CloudFront trusts is what signs")


if __name__ == "__main__":
    unittest.main()
