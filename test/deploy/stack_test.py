"""What deploy/cloudformation/template.yaml makes: created in a stand-in for AWS
and read back through the APIs of the services."""

import functools
import json
import unittest

import cloud
from site_stack import ACCOUNT, Site

NO_CACHE = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
SHARED_CACHE = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # CachingOptimized
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader

KMS_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NEXT_KMS_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/5678abcd-12ab-34cd-56ef-1234567890ab"
OLD_SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:castle-key-AbCdEf"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
DENYLIST = f"arn:aws:cloudfront::{ACCOUNT}:function/handstamp-denylist"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"


def setUpModule():
    """Make one stack for each set of parameters that is worth one."""
    aws = unittest.enterModuleContext(cloud.Cloud())
    zone = aws.client("route53").create_hosted_zone(Name="example.org.", CallerReference="1")["HostedZone"]["Id"].split("/")[-1]
    make = functools.partial(Site, aws)
    Stacks.cloud, Stacks.zone = aws, zone
    Stacks.minimal = make("minimal")
    Stacks.domain = make("domain", DomainName="media.example.org", CertificateArn=CERTIFICATE, HostedZoneId=zone)
    Stacks.kms = make("kms", SigningKeyArn=KMS_KEY, MoreKmsKeyArns=NEXT_KMS_KEY, DenylistFunctionArn=DENYLIST)
    Stacks.old = make("old", SigningKeyArn=OLD_SECRET, FreePattern="/castle/free/*", FreePattern2="/zoo/free/*", Firewall="off")
    Stacks.full = make("full", PrivateFiles="on", MoreKmsKeyArns=f"{KMS_KEY},{NEXT_KMS_KEY}", AuthorizerCode="authorizer.zip", AlarmTopicArn=TOPIC, Secrets="SHOP=secretsmanager:full/secrets/shop", ReservedConcurrency="20",
                       TrustedProxies="130.176.0.0/17,15.158.0.0/16", Architecture="x86_64", CdnLogBucket="logs.s3.amazonaws.com")
    Stacks.ireland = make("ireland", region="eu-west-1")


class Stacks(unittest.TestCase):
    site = None

    def each(self):
        """All stacks; what fails names the one that it failed for."""
        for self.site in (self.minimal, self.domain, self.kms, self.old, self.full, self.ireland):
            yield self.site

    def _formatMessage(self, msg, standard):
        return f"stack {self.site and self.site.name}: {super()._formatMessage(msg, standard)}"


class DistributionTest(Stacks):
    def test_paid_needs_our_key_group(self):
        for site in self.each():
            for path in ("/castle/audio/01.m4a", "/castle/other", "/spain/castle/audio/hall/00.m4s", "/castle/audio/free.m4a",
                         "/castle/Free/map.jpg", "/castle//audio/x", "/.well-known/x"):
                b = site.behavior(path)
                self.assertEqual([site.outputs["KeyGroupId"]], b["TrustedKeyGroups"].get("Items", []), f"{path} met {b['PathPattern']}")
                self.assertTrue(b["TrustedKeyGroups"]["Enabled"], path)
                self.assertEqual("media", b["TargetOriginId"], path)
                self.assertEqual("https-only", b["ViewerProtocolPolicy"], path)
                self.assertEqual(SHARED_CACHE, b["CachePolicyId"], path)

    def test_every_way_to_the_media_is_free_or_signed(self):
        for site in self.each():
            free = {p for p in ("/*/free/*", "/castle/free/*", "/zoo/free/*")}
            for b in site.behaviors():
                if b["TargetOriginId"] == "media" and b["PathPattern"] not in free:
                    self.assertTrue(b["TrustedKeyGroups"]["Enabled"], b["PathPattern"])

    def test_order(self):
        for site in self.each():
            patterns = [b["PathPattern"] for b in site.behaviors()]
            kinds = [("api" if b["TargetOriginId"] == "api" else "app" if b["TargetOriginId"] == "app" else
                      "paid" if b["TrustedKeyGroups"]["Enabled"] else "free") for b in site.behaviors()]
            order = [k for i, k in enumerate(kinds) if i == 0 or kinds[i - 1] != k]
            self.assertEqual(["api", "app", "free", "paid", "app"], order, patterns)

    def test_free_needs_nothing(self):
        for path in ("/castle/free/map.jpg", "/zoo/free/a/b.svg"):
            for site in self.each():
                b = site.behavior(path)
                self.assertFalse(b["TrustedKeyGroups"]["Enabled"], f"{path} met {b['PathPattern']}")
                self.assertEqual("media", b["TargetOriginId"], path)

    def test_exact_free_patterns_open_nothing_else(self):
        for path in ("/castle/audio/free/x", "/spain/free/x", "/castle/freebie/x"):
            b = self.old.behavior(path)
            self.assertTrue(b["TrustedKeyGroups"]["Enabled"], f"{path} met {b['PathPattern']}")

    def test_api_is_not_cached_and_gets_everything(self):
        for site in self.each():
            for path in ("/v1/tickets/verify", "/v1/admission/renew", "/v1/free/x", "/healthz", "/readyz", "/openapi.yaml", "/docs"):
                b = site.behavior(path)
                self.assertEqual("api", b["TargetOriginId"], f"{path} met {b['PathPattern']}")
                self.assertEqual(NO_CACHE, b["CachePolicyId"], path)
                self.assertEqual(ALL_BUT_HOST, b["OriginRequestPolicyId"], path)
                self.assertEqual("https-only", b["ViewerProtocolPolicy"], path)
            self.assertEqual({"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}, set(site.behavior("/v1/x")["AllowedMethods"]["Items"]))

    def test_media_takes_no_writes_and_forwards_nothing(self):
        for site in self.each():
            for b in site.behaviors():
                if b["TargetOriginId"] != "api":
                    self.assertEqual({"GET", "HEAD"}, set(b["AllowedMethods"]["Items"]), b["PathPattern"])
                    self.assertFalse(b.get("OriginRequestPolicyId"), b["PathPattern"])
                    self.assertIn(b["ViewerProtocolPolicy"], ("https-only", "redirect-to-https"))

    def test_app_is_served_from_its_bucket(self):
        for site in self.each():
            for path in ("/", "/t", "/index.html", "/app/app.js"):
                self.assertEqual("app", site.behavior(path)["TargetOriginId"], path)
            self.assertEqual("index.html", site.distribution()["DefaultRootObject"])

    def test_errors_are_not_remembered(self):
        for site in self.each():
            remembered = {e["ErrorCode"]: int(e["ErrorCachingMinTTL"]) for e in site.distribution()["CustomErrorResponses"]["Items"]}
            self.assertEqual({c: 0 for c in (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)}, remembered)
            for e in site.distribution()["CustomErrorResponses"]["Items"]:
                self.assertFalse(e.get("ResponsePagePath"), "a page in the place of an error")

    def test_headers(self):
        for site in self.each():
            for path, scripts in (("/castle/audio/x.svg", "script-src 'none'"), ("/castle/free/x.svg", "script-src 'none'"), ("/", "default-src 'self'")):
                policy = cloud.POLICIES[site.behavior(path)["ResponseHeadersPolicyId"]]["SecurityHeadersConfig"]
                self.assertIn(scripts, policy["ContentSecurityPolicy"]["ContentSecurityPolicy"], path)
                self.assertTrue(policy["ContentTypeOptions"]["Override"])
                self.assertGreaterEqual(policy["StrictTransportSecurity"]["AccessControlMaxAgeSec"], 31536000)

    def test_http_and_tls(self):
        for site in self.each():
            config = site.distribution()
            self.assertEqual("http2and3", config["HttpVersion"])
            self.assertTrue(config["IsIPV6Enabled"])
            api = site.origin(site.behavior("/v1/x"))["CustomOriginConfig"]
            self.assertEqual("https-only", api["OriginProtocolPolicy"])
            self.assertEqual(["TLSv1.2"], api["OriginSslProtocols"]["Items"])

    def test_domain(self):
        config = self.domain.distribution()
        self.assertEqual(["media.example.org"], config["Aliases"]["Items"])
        self.assertEqual(CERTIFICATE, config["ViewerCertificate"]["ACMCertificateArn"])
        self.assertEqual("TLSv1.2_2021", config["ViewerCertificate"]["MinimumProtocolVersion"])
        self.assertEqual("https://media.example.org", self.domain.environment()["HANDSTAMP_MEDIA_URL"])
        self.assertEqual("https://media.example.org", self.domain.outputs["SiteUrl"])
        records = self.cloud.client("route53").list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        aliases = {r["Type"]: r["AliasTarget"]["DNSName"].rstrip(".") for r in records if r["Name"] == "media.example.org."}
        self.assertEqual({t: self.domain.outputs["DistributionDomain"] for t in ("A", "AAAA")}, aliases)

    def test_no_domain(self):
        config = self.minimal.distribution()
        self.assertEqual(0, config["Aliases"]["Quantity"])
        self.assertTrue(config["ViewerCertificate"]["CloudFrontDefaultCertificate"])
        self.assertEqual("https://" + self.minimal.outputs["DistributionDomain"], self.minimal.environment()["HANDSTAMP_MEDIA_URL"])

    def test_logs_without_cookies(self):
        self.assertEqual((True, False), tuple(self.full.distribution()["Logging"][k] for k in ("Enabled", "IncludeCookies")))
        self.assertFalse(self.minimal.distribution()["Logging"]["Enabled"])

    def test_firewall(self):
        wanted = {"minimal": True, "domain": True, "kms": True, "old": False, "full": True, "ireland": False}
        for site in self.each():
            self.assertEqual(wanted[site.name], bool(site.asked().get("WebACLId")), "a web ACL on the distribution")
        name, identity, scope = self.minimal.resource("WebAcl").split("|")
        rule = self.minimal.client("wafv2").get_web_acl(Name=name, Id=identity, Scope=scope)["WebACL"]["Rules"][0]
        rate = rule["Statement"]["RateBasedStatement"]
        self.assertEqual((1000, 300, "IP"), (rate["Limit"], rate["EvaluationWindowSec"], rate["AggregateKeyType"]))
        self.assertEqual(b"/v1/tickets/verify", rate["ScopeDownStatement"]["ByteMatchStatement"]["SearchString"])
        self.assertEqual(429, rule["Action"]["Block"]["CustomResponse"]["ResponseCode"])


class BucketTest(Stacks):
    def buckets(self, site):
        return [site.outputs[k] for k in ("MediaBucketName", "AppBucketName", "PrivateBucketName") if k in site.outputs]

    def test_private(self):
        for site in self.each():
            s3 = site.client("s3")
            for bucket in self.buckets(site):
                block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
                self.assertEqual({"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}, {k for k, v in block.items() if v}, bucket)
                owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
                self.assertEqual([{"ObjectOwnership": "BucketOwnerEnforced"}], owner, bucket)
                rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
                self.assertEqual("AES256", rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], bucket)
                aborts = [r["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
                          for r in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] if "AbortIncompleteMultipartUpload" in r]
                self.assertEqual([2], aborts, bucket)

    def test_policies_let_only_this_distribution_read(self):
        for site in self.each():
            reader = f"arn:aws:cloudfront::{ACCOUNT}:distribution/{site.outputs['DistributionId']}"
            for bucket in self.buckets(site):
                statements = json.loads(site.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
                allows = [s for s in statements if s["Effect"] == "Allow"]
                self.assertIn({"Bool": {"aws:SecureTransport": "false"}}, [s["Condition"] for s in statements if s["Effect"] == "Deny"], bucket)
                if bucket == site.outputs.get("PrivateBucketName"):
                    self.assertEqual([], allows, bucket)
                    continue
                self.assertEqual([{"Sid": "ThisDistribution", "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
                                   "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*",
                                   "Condition": {"StringEquals": {"AWS:SourceArn": reader}}}], allows, bucket)

    def test_origins_sign(self):
        for site in self.each():
            for path, output in (("/castle/audio/x", "MediaBucketName"), ("/castle/free/x", "MediaBucketName"), ("/", "AppBucketName")):
                origin = site.origin(site.behavior(path))
                self.assertEqual(f"{site.outputs[output]}.s3.{site.region}.amazonaws.com", origin["DomainName"], path)
                control = site.client("cloudfront").get_origin_access_control(Id=origin["OriginAccessControlId"])["OriginAccessControl"]["OriginAccessControlConfig"]
                self.assertEqual(("s3", "always", "sigv4"), tuple(control[k] for k in ("OriginAccessControlOriginType", "SigningBehavior", "SigningProtocol")))

    def test_private_files_are_no_origin(self):
        names = [o["DomainName"] for o in self.full.distribution()["Origins"]["Items"]]
        self.assertFalse([n for n in names if self.full.outputs["PrivateBucketName"] in n], names)
        self.assertNotIn("PrivateBucketName", self.minimal.outputs)
        self.assertEqual(self.full.outputs["PrivateBucketName"], self.full.environment()["HANDSTAMP_OBJECTS_BUCKET"])


class ApiTest(Stacks):
    def test_nothing_passes_without_the_header(self):
        for site in self.each():
            client, api = site.client("apigatewayv2"), site.resource("Api")
            routes = client.get_routes(ApiId=api)["Items"]
            self.assertEqual({"$default", "POST /v1/tickets/verify"}, {r["RouteKey"] for r in routes})
            for r in routes:
                self.assertEqual("CUSTOM", r["AuthorizationType"], r["RouteKey"])
                guard = client.get_authorizer(ApiId=api, AuthorizerId=r["AuthorizerId"])
                self.assertEqual(["$request.header.X-Handstamp-Origin"], guard["IdentitySource"])
                self.assertTrue(guard["EnableSimpleResponses"])
            headers = site.origin(site.behavior("/v1/x"))["CustomHeaders"]["Items"]
            self.assertEqual([("X-Handstamp-Origin", site.environment("OriginGuard")["SECRET"])], [(h["HeaderName"], h["HeaderValue"]) for h in headers])
            self.assertGreaterEqual(len(headers[0]["HeaderValue"]), 48)

    def test_secrets_differ(self):
        def value(site, logical):
            return site.client("secretsmanager").get_secret_value(SecretId=site.resource(logical))["SecretString"]
        secrets = [value(site, logical) for site in self.each() for logical in ("OriginSecret", "Pepper")]
        self.assertEqual(len(secrets), len(set(secrets)))

    def test_payload_and_throttle(self):
        for site in self.each():
            client, api = site.client("apigatewayv2"), site.resource("Api")
            self.assertEqual(["2.0"], [i["PayloadFormatVersion"] for i in client.get_integrations(ApiId=api)["Items"]])
            stage = client.get_stage(ApiId=api, StageName="$default")
            limits = stage["DefaultRouteSettings"]
            self.assertEqual((500, 1000), (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]))
            for part in ("path", "sourceIp", "authorizer.principal", "identity"):
                self.assertNotIn("$context." + part, stage["AccessLogSettings"]["Format"])


class GatewayTest(Stacks):
    def test_function(self):
        for site in self.each():
            f = site.client("lambda").get_function(FunctionName=site.resource("Gateway"))
            c = f["Configuration"]
            self.assertEqual(("provided.al2023", "bootstrap"), (c["Runtime"], c["Handler"]))
            self.assertEqual(["x86_64" if site is self.full else "arm64"], c["Architectures"])
            self.assertEqual(20 if site is self.full else None, f.get("Concurrency", {}).get("ReservedConcurrentExecutions"))

    def test_environment(self):
        for site in self.each():
            env = site.environment()
            self.assertEqual(("production", "dynamodb", site.outputs["TableName"], site.outputs["SiteUrl"], "env:PEPPER"), tuple(
                env["HANDSTAMP_" + k] for k in ("ENVIRONMENT", "BOOK_KIND", "BOOK_TABLE", "HTTP_PUBLIC_URL", "BOOK_PEPPER")))
            self.assertEqual("secretsmanager:" + site.resource("Manifest"), env["HANDSTAMP_KEYS_MANIFEST"])
            self.assertEqual([], [k for k, v in env.items() if not v], "config refuses a variable that is empty")
            self.assertTrue(env["HANDSTAMP_SECRETS"].startswith("PEPPER=secretsmanager:" + site.outputs["PepperArn"]))
            pepper = site.client("secretsmanager").get_secret_value(SecretId=site.outputs["PepperArn"])["SecretString"]
            self.assertNotIn(pepper, str(env), "whoever may look at a function sees its variables")
        self.assertTrue(self.full.environment()["HANDSTAMP_SECRETS"].endswith(",SHOP=secretsmanager:full/secrets/shop"))
        self.assertEqual("130.176.0.0/17,15.158.0.0/16", self.full.environment()["HANDSTAMP_HTTP_TRUSTED_PROXIES"])

    def test_keys(self):
        def sids(site):
            return {s["Sid"]: s for s in site.policy("GatewayRole", "gateway")["Statement"]}
        self.assertEqual({"Log", "Book", "BookLists", "KeySecrets", "Secrets"}, set(sids(self.minimal)))
        for site in (self.kms, self.full):  # a later key may sign before it does, and with the stack's secret too
            self.assertEqual([KMS_KEY, NEXT_KMS_KEY], sids(site)["SignWithKeys"]["Resource"])
        self.assertIn(OLD_SECRET, sids(self.old)["KeySecrets"]["Resource"])
        self.assertNotIn("SignWithKeys", sids(self.old))
        for site in self.each():
            self.assertEqual(site in (self.kms, self.old), site.resource("SigningKey") is None, "a secret for a key of its own")
        self.assertEqual(["secretsmanager:minimal/keys/first", f"kms:{KMS_KEY}", f"secretsmanager:{OLD_SECRET}"],
                         [s.outputs["SigningKeyFrom"] for s in (self.minimal, self.kms, self.old)])

    def test_denylist(self):
        for b in self.kms.asked()["CacheBehaviors"]:
            wanted = [{"EventType": "viewer-request", "FunctionARN": DENYLIST}] if b.get("TrustedKeyGroups") else []
            self.assertEqual(wanted, b.get("FunctionAssociations", []), b["PathPattern"])

    def test_table(self):
        for site in self.each():
            db, table = site.client("dynamodb"), site.outputs["TableName"]
            t = db.describe_table(TableName=table)["Table"]
            self.assertEqual("PAY_PER_REQUEST", t["BillingModeSummary"]["BillingMode"])
            self.assertTrue(t["DeletionProtectionEnabled"])
            self.assertEqual({"AttributeName": "expires_at", "TimeToLiveStatus": "ENABLED"}, db.describe_time_to_live(TableName=table)["TimeToLiveDescription"])
            backups = db.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
            self.assertEqual("ENABLED", backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])

    def test_secrets_are_empty(self):
        for site in (self.minimal, self.full):
            for logical in ("Manifest", "SigningKey"):
                client = site.client("secretsmanager")
                with self.assertRaises(client.exceptions.ResourceNotFoundException, msg=f"{site.name}: {logical} has a value"):
                    client.get_secret_value(SecretId=site.resource(logical))

    def test_authorizer(self):
        self.assertIsNone(self.minimal.resource("Authorizer"))
        self.assertIn("AuthorizerArn", self.full.outputs)
        env = self.full.environment("Authorizer")
        self.assertEqual("bearer", env["HANDSTAMP_AUTHORIZER_FROM"])
        actions = [a for s in self.full.policy("AuthorizerRole", "authorizer")["Statement"] for a in s["Action"]]
        self.assertFalse([a for a in actions if a.startswith("kms:")], "an authorizer signs nothing")
        resources = [r for s in self.full.policy("AuthorizerRole", "authorizer")["Statement"] for r in s["Resource"]]
        self.assertFalse([r for r in resources if "/keys/" in r or "/manifest" in r], "an authorizer signs nothing")

    def test_alarms(self):
        for site in self.each():
            alarms = [a for a in site.client("cloudwatch").describe_alarms()["MetricAlarms"] if a["AlarmName"].startswith(site.name + "-")]
            names = {(a["Namespace"], a["MetricName"]) for a in alarms}
            wanted = {("AWS/ApiGateway", "5xx"), ("AWS/Lambda", "Errors"), ("AWS/Lambda", "Throttles"), ("AWS/Lambda", "Duration"),
                      ("AWS/DynamoDB", "ReadThrottleEvents"), ("AWS/DynamoDB", "WriteThrottleEvents")}
            self.assertEqual(wanted | ({("AWS/CloudFront", "5xxErrorRate")} if site.region == "us-east-1" else set()), names)
            for a in alarms:
                self.assertEqual([TOPIC] if site is self.full else [], a["AlarmActions"], a["AlarmName"])

    def test_logs_end(self):
        for site in self.each():
            groups = {g["logGroupName"]: g.get("retentionInDays") for g in site.client("logs").describe_log_groups()["logGroups"]
                      if f"/{site.name}-" in g["logGroupName"] or f"/{site.name}/" in g["logGroupName"]}
            self.assertGreaterEqual(len(groups), 3)
            self.assertEqual({30}, set(groups.values()), groups)


if __name__ == "__main__":
    unittest.main()
