"""moto, a stand-in for AWS, with what its version 5.1.22 lacks of the operations
that keys need: server.py PORT.

Every addition follows the AWS API reference and nothing else:

- CloudFront: UpdateKeyGroup with If-Match; a public key or key group that is not
  there is NoSuchPublicKey or NoSuchResource; DeletePublicKey needs If-Match and
  refuses a key that a key group has (PublicKeyInUse); a group takes at most five
  keys, all of them known.
- KMS: Sign of MessageType DIGEST signs the digest; moto would hash it again.
  GetPublicKey says the KeySpec.
- Secrets Manager: once AWSCURRENT has moved, GetSecretValue returns the version
  that has it.
"""

import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.hashes import SHA256
from moto.cloudfront.exceptions import CloudFrontException
from moto.cloudfront.models import CloudFrontBackend, random_id
from moto.cloudfront.responses import KEY_GROUP_TEMPLATE, CloudFrontResponse
from moto.kms.exceptions import ValidationException
from moto.kms.responses import KmsResponse
from moto.secretsmanager.models import SecretsManagerBackend
from moto.server import main

MAX_KEYS = 5


def refuse(status, code, message):
    error = CloudFrontException(code, message)
    error.code = status
    return error


def get_public_key(self, key_id):
    if key_id not in self.public_keys:
        raise refuse(404, "NoSuchPublicKey", "The specified public key doesn't exist.")
    return self.public_keys[key_id]


def get_key_group(self, group_id):
    if group_id not in self.key_groups:
        raise refuse(404, "NoSuchResource", "A resource that was specified is not valid.")
    return self.key_groups[group_id]


def check_match(response, etag):
    match = response.headers.get("If-Match")
    if not match:
        raise refuse(400, "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if match != etag:
        raise refuse(412, "PreconditionFailed", "The precondition in one or more of the request fields evaluated to false.")


def check_items(backend, items):
    if len(items) > MAX_KEYS:
        raise refuse(400, "TooManyPublicKeysInKeyGroup", "The number of public keys in this key group is more than the maximum allowed.")
    if not items or any(item not in backend.public_keys for item in items):
        raise refuse(400, "InvalidArgument", "An argument is invalid.")


def items_of(config):
    items = config["Items"]["PublicKey"]
    return [items] if isinstance(items, str) else items


def update_key_group(self):
    group = self.backend.get_key_group(self.parsed_url.path.split("/")[-1])
    check_match(self, group.etag)
    config = self._get_xml_body()["KeyGroupConfig"]
    items = items_of(config)
    check_items(self.backend, items)
    group.name, group.items, group.etag = config["Name"], items, random_id(length=14)
    text = self.response_template(KEY_GROUP_TEMPLATE).render(group=group)
    return 200, {"ETag": group.etag}, text


def delete_public_key(self):
    key = self.backend.get_public_key(self.parsed_url.path.split("/")[-1])
    check_match(self, key.etag)
    if any(key.id in group.items for group in self.backend.key_groups.values()):
        raise refuse(409, "PublicKeyInUse", "The specified public key is in use.")
    del self.backend.public_keys[key.id]
    return 204, {"status": 204}, ""


create_key_group = CloudFrontBackend.create_key_group


def create_checked_key_group(self, name, items):
    check_items(self, items)
    return create_key_group(self, name, items)


sign_raw = KmsResponse.sign


def sign(self):
    if self._get_param("MessageType") != "DIGEST":
        return sign_raw(self)
    digest, algorithm = self._get_param("Message"), self._get_param("SigningAlgorithm")
    key = self.kms_backend.describe_key(self._get_param("KeyId"))
    if algorithm not in (key.signing_algorithms or []):
        raise ValidationException(f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}.")
    if len(digest) != SHA256.digest_size:
        raise ValidationException(f"Digest is invalid length for algorithm {algorithm}.")
    signature = sign_digest(key.private_key.private_key, digest, algorithm)
    return json.dumps({"KeyId": key.arn, "Signature": base64.b64encode(signature).decode(), "SigningAlgorithm": algorithm})


def sign_digest(key, digest, algorithm):
    hashed = utils.Prehashed(SHA256())
    if algorithm == "ECDSA_SHA_256":
        return key.sign(digest, ec.ECDSA(hashed))
    if algorithm == "RSASSA_PKCS1_V1_5_SHA_256":
        return key.sign(digest, padding.PKCS1v15(), hashed)
    raise ValidationException(f"{algorithm} of a digest is more than this stand-in knows.")


get_kms_key = KmsResponse.get_public_key


def get_public_key_with_spec(self):
    answer = json.loads(get_kms_key(self))
    answer["KeySpec"] = self.kms_backend.describe_key(self._get_param("KeyId")).key_spec
    return json.dumps(answer)


move_stage = SecretsManagerBackend.update_secret_version_stage


def move_stage_and_default(self, secret_id, version_stage, remove_from_version_id, move_to_version_id):
    moved = move_stage(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        self.secrets[secret_id].default_version_id = move_to_version_id
    return moved


def install():
    CloudFrontBackend.get_public_key = get_public_key
    CloudFrontBackend.get_key_group = get_key_group
    CloudFrontBackend.create_key_group = create_checked_key_group
    CloudFrontResponse.update_key_group = update_key_group
    CloudFrontResponse.delete_public_key = delete_public_key
    KmsResponse.sign = sign
    KmsResponse.get_public_key = get_public_key_with_spec
    SecretsManagerBackend.update_secret_version_stage = move_stage_and_default


if __name__ == "__main__":
    install()
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
