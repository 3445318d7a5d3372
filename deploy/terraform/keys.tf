# CloudFront does not let the text of a public key be changed, and "handstamp
# keys" adds further keys to the group and takes them out again: Terraform only
# makes the first, as long as there is one.
resource "aws_cloudfront_public_key" "first" {
  count = var.public_key_pem == null ? 0 : 1

  name        = "${var.name}-${local.region}-first"
  encoded_key = "${trimspace(coalesce(var.public_key_pem, "-"))}\n" # as CloudFront gives it back

  lifecycle {
    ignore_changes = [encoded_key]
  }
}

resource "aws_cloudfront_key_group" "this" {
  name  = "${var.name}-${local.region}"
  items = aws_cloudfront_public_key.first[*].id

  lifecycle {
    ignore_changes = [items]
  }
}

# Empty until "handstamp keys" writes it; the gateway does not start before.
resource "aws_secretsmanager_secret" "manifest" {
  name        = "${var.name}/manifest"
  description = "Which keys sign, and since when."

  lifecycle {
    prevent_destroy = true
  }
}

# Empty until the private key is put there. No state or log ever has it. When
# signing_key_arn is given later, Terraform stops here: this key may still sign.
resource "aws_secretsmanager_secret" "signing_key" {
  count = var.signing_key_arn == null ? 1 : 0

  name        = "${var.name}/keys/first"
  description = "The first private key, in PEM. Whoever reads it can open everything."

  lifecycle {
    prevent_destroy = true
  }
}
