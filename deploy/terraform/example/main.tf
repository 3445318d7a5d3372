# One castle, with an address of its own. Begin with a copy of this folder; what
# it needs beside it is said in docs/aws.md.

terraform {
  required_version = ">= 1.9"

  # The state has secrets in it: keep it in a bucket that is encrypted, versioned
  # and yours alone.
  #
  # backend "s3" {
  #   bucket       = "..."
  #   key          = "handstamp"
  #   region       = "eu-west-1"
  #   use_lockfile = true
  # }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = { project = "handstamp" }
  }
}

variable "domain_name" {
  description = "Host that visitors use. Null means the name that CloudFront gives."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "Certificate for it in ACM, in us-east-1."
  type        = string
  default     = null
}

module "handstamp" {
  source = "../"

  name            = "castle"
  gateway_package = "${path.root}/../../../build/deploy/castle/gateway.zip" # of deploy.sh --package
  app_dir         = "${path.root}/../../../pkg/guide/app"
  public_key_pem  = file("${path.root}/first.pub.pem") # of handstamp keys new
  domain_name     = var.domain_name
  certificate_arn = var.certificate_arn
  free_patterns   = ["/castle/free/*"]
}

output "handstamp" {
  description = "Everything that comes next needs."
  value       = module.handstamp
}
