"""A stand-in for AWS that CloudFormation templates can be created in: moto, with
the resource types that its CloudFormation lacks.

Each of those is created through the AWS API of its service, by boto3, at the same
stand-in. botocore's own description of that API says what an operation takes, so
a property that AWS does not know, has another type for or cannot do without is an
error here too. What only CloudFormation or the real services check is not seen.
"""

import copy
import io
import json
import logging
import re
import socket
import urllib.parse
import urllib.request
import warnings
import zipfile

import boto3
from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.secretsmanager.models import SecretsManagerBackend
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


class Cloud:
    """A running stand-in. Use it as a context manager, one at a time."""

    def __enter__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
        self.server.start()
        urllib.request.urlopen(urllib.request.Request(self.url + "/moto-api/reset", method="POST"), timeout=30)  # what earlier ones left
        Resource.cloud = self
        install()
        return self

    def __exit__(self, *_):
        self.server.stop()

    def client(self, service, region=REGION):
        return boto3.client(service, region_name=region, endpoint_url=self.url, aws_access_key_id="test", aws_secret_access_key="test")


# Members that CloudFormation calls otherwise than the API does.
OTHER_NAMES = {"IPV6Enabled": "IsIPV6Enabled", "OriginCustomHeaders": "CustomHeaders"}


def fit(value, shape, path=""):
    """Turn a property of CloudFormation into what the API takes for it."""
    if shape.type_name == "structure":
        if isinstance(value, list):  # CloudFront counts its lists
            items = {"Quantity": len(value), "Items": value}
            value = {**items, "Enabled": True} if "Enabled" in shape.members else items
        members = {name.lower(): name for name in shape.members}
        fitted = {}
        for key, inner in value.items():
            name = members.get(OTHER_NAMES.get(key, key).lower())
            if name is None:
                raise ValueError(f"{path}.{key}: AWS has no such member, it has {sorted(shape.members)}")
            fitted[name] = fit(inner, shape.members[name], f"{path}.{key}")
        return fitted
    if shape.type_name == "list":
        return [fit(item, shape.member, f"{path}[{i}]") for i, item in enumerate(value)]
    if shape.type_name == "map":
        return {k: fit(v, shape.value, f"{path}.{k}") for k, v in value.items()}
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    if shape.type_name == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[value]
    if shape.type_name == "blob":
        return value.encode()
    return str(value)


class Resource(CloudFormationModel):
    """A resource that was created through the API."""

    __module__ = "moto.cloudformation.models"  # moto wants to know whose it is
    cloud = None
    type = ""
    name_property = ""

    def __init__(self, physical_id, attributes, properties):
        self.physical_resource_id = physical_id
        self.attributes = attributes
        self.properties = properties

    @classmethod
    def cloudformation_name_type(cls):
        return cls.name_property

    @classmethod
    def cloudformation_type(cls):
        return cls.type

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        properties = cloudformation_json["Properties"]
        before = copy.deepcopy(properties)
        return cls(*cls.make(Caller(cls.cloud, region_name), properties, resource_name), before)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        if cloudformation_json["Properties"] != original_resource.properties:  # moto asks for what has not changed too
            raise NotImplementedError(f"updating a {cls.type}")
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
        pass

    def is_created(self):
        return True

    def get_cfn_attribute(self, name):
        return self.attributes[name]


class Caller:
    """Calls the API of one region."""

    def __init__(self, cloud, region):
        self.cloud, self.region = cloud, region

    def __call__(self, service, operation, properties):
        client = self.cloud.client(service, self.region)
        shape = client.meta.service_model.operation_model(operation).input_shape
        name = {v: k for k, v in client.meta.method_to_api_mapping.items()}[operation]
        return getattr(client, name)(**fit(properties, shape, operation))


def resource(resource_type, name_property=""):
    """Make a resource type of a function that creates one: (call, properties,
    name) to its physical ID and attributes."""

    def wrap(make):
        kind = type(make.__name__, (Resource,), {
            "__module__": Resource.__module__, "type": resource_type, "name_property": name_property, "make": staticmethod(make)})
        TYPES[resource_type] = kind
        return kind

    return wrap


TYPES = {}


@resource("AWS::CloudFront::PublicKey")
def public_key(call, p, _):
    made = call("cloudfront", "CreatePublicKey", p)["PublicKey"]
    return made["Id"], {"Id": made["Id"]}


@resource("AWS::CloudFront::KeyGroup")
def key_group(call, p, _):
    made = call("cloudfront", "CreateKeyGroup", {"KeyGroupConfig": {**p["KeyGroupConfig"]}})["KeyGroup"]
    return made["Id"], {"Id": made["Id"]}


@resource("AWS::CloudFront::OriginAccessControl")
def origin_access_control(call, p, _):
    made = call("cloudfront", "CreateOriginAccessControl", p)["OriginAccessControl"]
    return made["Id"], {"Id": made["Id"]}


POLICIES = {}  # moto has no response headers policies: they are checked and kept here


@resource("AWS::CloudFront::ResponseHeadersPolicy")
def response_headers_policy(call, p, _):
    client = call.cloud.client("cloudfront")
    shape = client.meta.service_model.operation_model("CreateResponseHeadersPolicy").input_shape
    config = fit(p, shape, "CreateResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    identity = f"policy-{len(POLICIES)}"
    POLICIES[identity] = config
    return identity, {"Id": identity}


ASKED = {}  # the distributions as they were asked for: moto forgets firewall, functions and origin access controls


@resource("AWS::CloudFront::Distribution")
def distribution(call, p, name):
    config = p["DistributionConfig"]
    config["CallerReference"] = name
    for origin in config["Origins"]:
        if "CustomOriginConfig" in origin:
            origin["CustomOriginConfig"] = {"HTTPPort": 80, "HTTPSPort": 443, **origin["CustomOriginConfig"]}
    if "Logging" in config:
        config["Logging"]["Enabled"] = True
    made = call("cloudfront", "CreateDistribution", p)["Distribution"]
    ASKED[made["Id"]] = p["DistributionConfig"]
    return made["Id"], {"Id": made["Id"], "DomainName": made["DomainName"]}


@resource("AWS::WAFv2::WebACL")
def web_acl(call, p, name):
    acl = {**p, "Name": name}
    made = call("wafv2", "CreateWebACL", acl)["Summary"]
    return f"{made['Name']}|{made['Id']}|{p['Scope']}", {"Arn": made["ARN"], "Id": made["Id"]}


@resource("AWS::S3::Bucket", "BucketName")
def bucket(call, p, name):
    name = name.lower().replace("_", "-")[:63]
    place = {} if call.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": call.region}}
    call("s3", "CreateBucket", {"Bucket": name, **place})
    for key, operation, member in [
        ("PublicAccessBlockConfiguration", "PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
        ("OwnershipControls", "PutBucketOwnershipControls", "OwnershipControls"),
        ("VersioningConfiguration", "PutBucketVersioning", "VersioningConfiguration"),
    ]:
        if key in p:
            call("s3", operation, {"Bucket": name, member: p[key]})
    for rule in p["BucketEncryption"]["ServerSideEncryptionConfiguration"]:
        rule["ApplyServerSideEncryptionByDefault"] = rule.pop("ServerSideEncryptionByDefault")
    rules = p["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    call("s3", "PutBucketEncryption", {"Bucket": name, "ServerSideEncryptionConfiguration": {"Rules": rules}})
    for rule in p["LifecycleConfiguration"]["Rules"]:
        rule["Filter"] = {"Prefix": ""}
    call("s3", "PutBucketLifecycleConfiguration", {"Bucket": name, "LifecycleConfiguration": p["LifecycleConfiguration"]})
    if "CorsConfiguration" in p:
        rules = [{**r, "MaxAgeSeconds": r.pop("MaxAge")} for r in p["CorsConfiguration"]["CorsRules"]]
        rules = [{k: v for k, v in r.items() if k != "MaxAge"} for r in rules]
        call("s3", "PutBucketCors", {"Bucket": name, "CORSConfiguration": {"CORSRules": rules}})
    return name, {"Arn": f"arn:aws:s3:::{name}", "RegionalDomainName": f"{name}.s3.{call.region}.amazonaws.com"}


@resource("AWS::S3::BucketPolicy")
def bucket_policy(call, p, name):
    call("s3", "PutBucketPolicy", {"Bucket": p["Bucket"], "Policy": json.dumps(p["PolicyDocument"])})
    return f"{p['Bucket']}-policy", {}


@resource("AWS::SecretsManager::Secret", "Name")
def secret(call, p, name):
    text = {}
    if "GenerateSecretString" in p:
        text["SecretString"] = call("secretsmanager", "GetRandomPassword", p["GenerateSecretString"])["RandomPassword"]
    made = call("secretsmanager", "CreateSecret", {"Name": p.get("Name", name), "Description": p.get("Description", ""), **text})
    return made["ARN"], {"Id": made["ARN"]}


@resource("AWS::ApiGatewayV2::Api")
def api(call, p, _):
    made = call("apigatewayv2", "CreateApi", p)
    return made["ApiId"], {"ApiId": made["ApiId"], "ApiEndpoint": f"https://{made['ApiId']}.execute-api.{call.region}.amazonaws.com"}


@resource("AWS::ApiGatewayV2::Integration")
def integration(call, p, _):
    identity = call("apigatewayv2", "CreateIntegration", p)["IntegrationId"]
    return identity, {"IntegrationId": identity}


@resource("AWS::ApiGatewayV2::Authorizer")
def authorizer(call, p, _):
    identity = call("apigatewayv2", "CreateAuthorizer", p)["AuthorizerId"]
    return identity, {"AuthorizerId": identity}


@resource("AWS::ApiGatewayV2::Route")
def route(call, p, _):
    identity = call("apigatewayv2", "CreateRoute", p)["RouteId"]
    return identity, {"RouteId": identity}


@resource("AWS::ApiGatewayV2::Stage")
def stage(call, p, _):
    call("apigatewayv2", "CreateStage", p)
    return p["StageName"], {}


@resource("AWS::Lambda::Function", "FunctionName")
def function(call, p, name):
    p = {**p, "FunctionName": name[:64]}
    reserve = p.pop("ReservedConcurrentExecutions", None)
    text = p["Code"].pop("ZipFile", None)
    client = call.cloud.client("lambda", call.region)
    shape = client.meta.service_model.operation_model("CreateFunction").input_shape
    fitted = fit(p, shape, "CreateFunction")
    if text:
        fitted["Code"] = {"ZipFile": zipped("index.py", text)}
    made = client.create_function(**fitted)
    if reserve:
        call("lambda", "PutFunctionConcurrency", {"FunctionName": p["FunctionName"], "ReservedConcurrentExecutions": reserve})
    return p["FunctionName"], {"Arn": made["FunctionArn"]}


def zipped(name, text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(name, text)
    return out.getvalue()


@resource("AWS::DynamoDB::Table", "TableName")
def table(call, p, name):
    p = {**p, "TableName": name}
    live, recovery = p.pop("TimeToLiveSpecification"), p.pop("PointInTimeRecoverySpecification")
    p["SSESpecification"] = {"Enabled": p["SSESpecification"]["SSEEnabled"]}
    made = call("dynamodb", "CreateTable", p)["TableDescription"]
    call("dynamodb", "UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": live})
    call("dynamodb", "UpdateContinuousBackups", {"TableName": name, "PointInTimeRecoverySpecification": recovery})
    return name, {"Arn": made["TableArn"]}


@resource("AWS::Route53::RecordSet")
def record(call, p, _):
    p["AliasTarget"].setdefault("EvaluateTargetHealth", False)
    change = {"Action": "CREATE", "ResourceRecordSet": {k: v for k, v in p.items() if k != "HostedZoneId"}}
    call("route53", "ChangeResourceRecordSets", {"HostedZoneId": p["HostedZoneId"], "ChangeBatch": {"Changes": [change]}})
    return p["Name"], {}


@resource("AWS::CloudWatch::Alarm", "AlarmName")
def alarm(call, p, name):
    call("cloudwatch", "PutMetricAlarm", {**p, "AlarmName": name})
    return name, {"Arn": f"arn:aws:cloudwatch:{call.region}:123456789012:alarm:{name}"}


REFERENCE = re.compile(r"{{resolve:secretsmanager:(.+?):SecretString}}")


def resolved(value):
    """Replace references to secrets and drop AWS::NoValue, as CloudFormation does."""
    if isinstance(value, dict):
        return {k: resolved(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [resolved(v) for v in value if v is not None]
    if not isinstance(value, str):
        return value
    return REFERENCE.sub(lambda m: Resource.cloud.client("secretsmanager", region_of(m[1])).get_secret_value(SecretId=m[1])["SecretString"], value)


def region_of(arn):
    return arn.split(":")[3]


parse = parsing.parse_resource


def parse_and_resolve(resource_json, resources_map):
    parsed = parse(resource_json, resources_map)
    if parsed is None:
        raise NotImplementedError(f"{resource_json['Type']} is more than this stand-in knows")
    kind, properties, name = parsed
    return kind, resolved(properties), name


def template_at(_, url):
    """Read a template from a bucket: moto takes the first label of our host, a number, for the bucket."""
    bucket, key = urllib.parse.urlparse(url).path.removeprefix("/").split("/", 1)
    return Resource.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()


move_stage = SecretsManagerBackend.update_secret_version_stage


def move_stage_and_default(self, secret_id, version_stage, remove_from_version_id, move_to_version_id):
    """Move a label; once that was AWSCURRENT, GetSecretValue returns the version that has it."""
    moved = move_stage(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        self.secrets[secret_id].default_version_id = move_to_version_id
    return moved


execute = CloudFormationBackend.execute_change_set


def execute_with_outputs(self, change_set_name, stack_name=None):
    """Execute a change set and fill the outputs, which moto leaves as they were."""
    execute(self, change_set_name, stack_name)
    for stack in self.stacks.values():
        stack._parse_template()
        stack.output_map = stack._create_output_map()


def has_parameters(self, others):
    """Whether a stack has these parameters, which moto forgets as soon as they have defaults."""
    return {k: str(v) for k, v in self.resource_map.resolved_parameters.items()} == {k: str(v) for k, v in others.items()}


def install():
    Stack.has_parameters = has_parameters
    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL  # moto takes conditions for true, so OnlyTls would refuse everything
    SecretsManagerBackend.update_secret_version_stage = move_stage_and_default
    CloudFormationBackend.execute_change_set = execute_with_outputs
    CloudFormationResponse._get_stack_from_s3_url = template_at
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    parsing.get_model_map().update(TYPES)
    parsing.parse_resource = parse_and_resolve
