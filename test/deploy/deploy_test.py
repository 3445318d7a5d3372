"""deploy/cloudformation/deploy.sh: what it says, and what it brings to a stand-in
for AWS."""

import io
import json
import pathlib
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
        for command in ("go build -trimpath -buildvcs=false", "aws cloudformation deploy", "Firewall=off", "s3://AppBucketName/index.html", "s3://AppBucketName/t"):
            self.assertIn(command, out.stdout)
        self.assertEqual([], list((ROOT / "build" / "deploy" / self.stack).iterdir()), "a dry run made files")

    def test_no_private_key_goes_into_a_package(self):
        made = run("go", "run", "./cmd/handstamp", "keys", "new", "--dir", str(self.site / "keys"), "--id", "KFIRST000001")
        self.assertEqual(0, made.returncode, made.stderr)
        out = self.deploy("--package")
        self.assertEqual(1, out.returncode, out.stdout)
        self.assertIn("KFIRST000001.pem has a private key", out.stderr)


class DeployTest(Workplace):
    def test_twice(self):
        aws = self.enterContext(cloud.Cloud())
        made = run("go", "run", "./cmd/handstamp", "keys", "new", "--type", "ecdsa", "--dir", str(self.dir / "keys"), "--id", "KFIRST000001")
        self.assertEqual(0, made.returncode, made.stderr)
        public, private = (str(self.dir / "keys" / ("KFIRST000001" + end)) for end in (".pub.pem", ".pem"))
        first = self.deploy("--public-key", public, "--private-key", private, cloud=aws)
        self.assertEqual(0, first.returncode, first.stdout + first.stderr)
        outputs = self.outputs(aws)
        self.assertNotIn("warning", first.stderr)
        self.check_package(aws)
        self.check_app(aws, outputs["AppBucketName"])
        self.check_ring(aws, outputs)
        self.check_proxies(aws)
        again = self.deploy(cloud=aws)
        self.assertEqual(0, again.returncode, again.stdout + again.stderr)
        self.assertEqual(outputs, self.outputs(aws), "the second deployment changed what was there")
        self.assertEqual(1, len(self.packages(aws)), "the same sources made another package")

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

    def packages(self, aws):
        listed = aws.client("s3").list_objects_v2(Bucket="handstamp-code-123456789012-us-east-1")["Contents"]
        return [o["Key"] for o in listed if o["Key"].startswith("gateway-")]

    def check_package(self, aws):
        [key] = self.packages(aws)
        body = aws.client("s3").get_object(Bucket="handstamp-code-123456789012-us-east-1", Key=key)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as z:
            self.assertEqual(["bootstrap", "config.yaml", "tickets.csv"], z.namelist())
            self.assertEqual(0o755, z.getinfo("bootstrap").external_attr >> 16 & 0o777)
            self.assertEqual((b"\x7fELF", 183), (z.read("bootstrap")[:4], z.read("bootstrap")[18]), "a binary for arm64")
            self.assertEqual(CONFIG, z.read("config.yaml").decode())

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
