# The module with made-up answers of AWS. What becomes of these runs is looked at
# by terraform_test.py.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
  mock_data "aws_ec2_managed_prefix_list" {
    defaults = { entries = [{ cidr = "130.176.0.0/17", description = "" }, { cidr = "15.158.0.0/16", description = "" }] }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = { id = "E1", domain_name = "d1.cloudfront.net", hosted_zone_id = "Z2FDTNDATAQYW2" }
  }
  mock_resource "aws_cloudfront_key_group" {
    defaults = { id = "KEYGROUP" }
  }
}

mock_provider "archive" {}

variables {
  name            = "castle"
  gateway_package = "gateway.zip"
  app_dir         = "app"
  public_key_pem  = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGJwsVX8o\n-----END PUBLIC KEY-----\n"
}

run "minimal" {}

run "domain" {
  variables {
    domain_name     = "media.example.org"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    hosted_zone_id  = "Z1"
  }
}

run "kms" {
  variables {
    signing_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    more_kms_key_arns     = ["arn:aws:kms:us-east-1:123456789012:key/5678abcd-12ab-34cd-56ef-1234567890ab"]
    denylist_function_arn = "arn:aws:cloudfront::123456789012:function/handstamp-denylist"
  }
}

run "old" {
  variables {
    signing_key_arn   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:castle-key-AbCdEf"
    more_kms_key_arns = ["arn:aws:kms:us-east-1:123456789012:key/5678abcd-12ab-34cd-56ef-1234567890ab"]
    free_patterns     = ["/castle/free/*", "/zoo/free/*"]
    firewall          = false
  }
}

run "full" {
  variables {
    private_files        = true
    authorizer_package   = "gateway.zip"
    alarm_topic_arn      = "arn:aws:sns:us-east-1:123456789012:alarms"
    reserved_concurrency = 20
    architecture         = "x86_64"
    cdn_log_bucket       = "logs.s3.amazonaws.com"
    secrets              = { SHOP = "castle/secrets/shop" }
  }
}

# The first key was retired: its public half is not made again.
run "first_key_is_retired" {
  command = plan
  variables {
    public_key_pem = null
  }
  assert {
    condition     = length(aws_cloudfront_public_key.first) == 0 && output.public_key_id == null
    error_message = "a public key would be made"
  }
}

run "refuses_wrong_values" {
  command = plan
  variables {
    name                 = "a castle"
    domain_name          = "https://media.example.org"
    public_key_pem       = "-----BEGIN PRIVATE KEY-----"
    architecture         = "arm"
    free_patterns        = ["/*/*"]
    signing_key_arn      = "arn:aws:kms:us-east-1:123456789012:alias/castle"
    more_kms_key_arns    = ["arn:aws:kms:us-east-1:123456789012:alias/castle"]
    reserved_concurrency = 0
    verify_limit         = 1
    memory_size          = 64
    log_retention_days   = 2
    price_class          = "all"
  }
  expect_failures = [
    var.name, var.domain_name, var.public_key_pem, var.architecture, var.free_patterns, var.signing_key_arn, var.more_kms_key_arns,
    var.reserved_concurrency, var.verify_limit, var.memory_size, var.log_retention_days, var.price_class,
  ]
}

run "refuses_what_is_elsewhere" {
  command = plan
  variables {
    domain_name     = "media.example.org"
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    secrets         = { SHOP = "other/secret" }
  }
  expect_failures = [var.certificate_arn, var.secrets]
}

run "refuses_half_a_domain" {
  command = plan
  variables {
    domain_name = "media.example.org"
  }
  expect_failures = [var.certificate_arn]
}

run "refuses_a_zone_without_domain" {
  command = plan
  variables {
    hosted_zone_id = "Z1"
  }
  expect_failures = [var.hosted_zone_id]
}
