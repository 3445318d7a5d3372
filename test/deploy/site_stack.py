"""Stacks of deploy/cloudformation/template.yaml, made in a stand-in for AWS."""

import ast
import os
import pathlib
import subprocess

from cloud import ASKED, zipped

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "cloudformation" / "template.yaml"
ACCOUNT = "123456789012"

# A public key as CloudFront takes it; nobody has the private half any more.
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGJwsVX8ojlJRCOUMZLtPqgSrgCQB
PDG9gqrk3tDr4wTnGDpkLrOvUPgqVdJFRbkfLVoMVMNKBvVCBQtQTkMzpg==
-----END PUBLIC KEY-----
"""


class Site:
    """A stack that was made, and what can be read of it."""

    def __init__(self, cloud, name, region="us-east-1", **parameters):
        self.cloud, self.name, self.region = cloud, name, region
        self._put_code()
        parameters = {"CodeBucket": "code-" + region, "GatewayCode": "gateway.zip", "PublicKeyPem": PUBLIC_KEY, **parameters}
        self.client("cloudformation").create_stack(
            StackName=name, TemplateBody=TEMPLATE.read_text(), Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()])
        stack = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}

    def client(self, service):
        return self.cloud.client(service, self.region)

    def _put_code(self):
        s3, bucket = self.client("s3"), "code-" + self.region
        if bucket not in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
            place = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
            s3.create_bucket(Bucket=bucket, **place)
        for key in ("gateway.zip", "authorizer.zip"):
            s3.put_object(Bucket=bucket, Key=key, Body=zipped("bootstrap", ""))

    def resource(self, logical):
        """The physical ID of a resource, None if the stack has none of that name."""
        for r in self.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]:
            if r.get("LogicalResourceId") == logical:
                return r["PhysicalResourceId"]
        return None

    def distribution(self):
        return self.client("cloudfront").get_distribution_config(Id=self.outputs["DistributionId"])["DistributionConfig"]

    def asked(self):
        """The distribution as it was asked for, see cloud.ASKED."""
        return ASKED[self.outputs["DistributionId"]]

    def behaviors(self):
        """All cache behaviors, in their order; the default one comes last, as "*"."""
        config = self.distribution()
        return config["CacheBehaviors"]["Items"] + [{"PathPattern": "*", **config["DefaultCacheBehavior"]}]

    def behavior(self, path):
        """The cache behavior that a path meets, as CloudFront chooses it."""
        return next(b for b in self.behaviors() if covers(b["PathPattern"], path))

    def origin(self, behavior):
        asked = {o["Id"]: o for o in self.asked()["Origins"]}[behavior["TargetOriginId"]]
        made = next(o for o in self.distribution()["Origins"]["Items"] if o["Id"] == behavior["TargetOriginId"])
        return {**made, "OriginAccessControlId": asked.get("OriginAccessControlId")}

    def environment(self, logical="Gateway"):
        function = self.client("lambda").get_function_configuration(FunctionName=self.resource(logical))
        return function["Environment"]["Variables"]

    def policy(self, role, name):
        document = self.client("iam").get_role_policy(RoleName=self.resource(role), PolicyName=name)["PolicyDocument"]
        return ast.literal_eval(document) if isinstance(document, str) else document  # moto prints those of a role itself as Python


def covers(pattern, path):
    """Whether a path pattern covers a path: "*" is any text, slashes too, and "?"
    one character (CloudFront Developer Guide, Cache behavior settings, Path
    pattern)."""
    if not pattern:
        return not path
    if pattern[0] == "*":
        return any(covers(pattern[1:], path[i:]) for i in range(len(path) + 1))
    return bool(path) and pattern[0] in ("?", path[0]) and covers(pattern[1:], path[1:])


def run(*command, cloud=None, **environment):
    """Run a program of the project, with AWS being the stand-in."""
    env = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_PAGER": "",
           "AWS_EC2_METADATA_DISABLED": "true", **environment}
    if cloud:
        env["AWS_ENDPOINT_URL"] = cloud.url
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
