variable "name" {
  description = "Begins the names of everything: letters, digits and hyphens, up to 41."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,40}$", var.name))
    error_message = "name: want up to 41 letters, digits and hyphens, a letter first."
  }
}

# ---- What is deployed -------------------------------------------------------

variable "gateway_package" {
  description = "Zip of the gateway, as \"deploy.sh --package\" makes it."
  type        = string
}

variable "authorizer_package" {
  description = "Zip of the ticket authorizer, for HTTP APIs of your own. Null means none."
  type        = string
  default     = null
}

variable "authorizer_from" {
  description = "What the ticket authorizer reads: bearer, cookie, header:NAME or query:NAME, see docs/lambda.md."
  type        = string
  default     = "bearer"

  validation {
    condition     = can(regex("^(bearer|cookie|(header|query):[A-Za-z0-9_-]+)$", var.authorizer_from))
    error_message = "authorizer_from: want bearer, cookie, header:NAME or query:NAME."
  }
}

variable "authorizer_attraction" {
  description = "The attraction that visitors must be entitled to there. Null means any."
  type        = string
  default     = null
}

variable "app_dir" {
  description = "Folder of the visitor app, pkg/guide/app of the repository."
  type        = string
}

variable "public_key_pem" {
  description = "Public half of the first signing key, in PEM. It stays as it is, since later keys come and go with \"handstamp keys\", until that key is retired: then it is null."
  type        = string

  validation {
    condition     = var.public_key_pem == null || can(regex("^-----BEGIN PUBLIC KEY-----\\s[A-Za-z0-9+/=\\s]+-----END PUBLIC KEY-----\\s*$", var.public_key_pem))
    error_message = "public_key_pem: want a public key in PEM, with its line ends."
  }
}

variable "architecture" {
  description = "What the functions were compiled for: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture: want arm64 or x86_64."
  }
}

variable "memory_size" {
  description = "Memory of the gateway in MiB; its share of a processor grows with it."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size: want 128 to 10240 MiB."
  }
}

# ---- The address ------------------------------------------------------------

variable "domain_name" {
  description = "Host that visitors use, such as media.example.org. Null means the name that CloudFront gives."
  type        = string
  default     = null

  validation {
    condition     = var.domain_name == null || can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", var.domain_name))
    error_message = "domain_name: want a host in lower case, without scheme or path."
  }
}

variable "certificate_arn" {
  description = "Certificate for it in ACM. CloudFront reads us-east-1 only, wherever the rest is."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/", var.certificate_arn))
    error_message = "certificate_arn: want a certificate of ACM in us-east-1."
  }

  validation {
    condition     = (var.certificate_arn == null) == (var.domain_name == null)
    error_message = "certificate_arn and domain_name: want both or none."
  }
}

variable "hosted_zone_id" {
  description = "Zone at Route 53 in which the host gets its records. Null means that you make them elsewhere."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || var.domain_name != null
    error_message = "hosted_zone_id: needs a domain_name."
  }
}

# ---- What is free, and what signs -------------------------------------------

variable "free_patterns" {
  description = "Path patterns of what needs no ticket. A star crosses slashes, so the default opens every folder called free, at any depth; [\"/castle/free/*\"] opens that one only."
  type        = list(string)
  default     = ["/*/free/*"]

  validation {
    condition     = length(var.free_patterns) > 0 && alltrue([for p in var.free_patterns : can(regex("^/.*[A-Za-z0-9].*/\\*$", p))])
    error_message = "free_patterns: want patterns like /castle/free/*, with a letter or digit in them; without one they would open everything."
  }
}

variable "signing_key_arn" {
  description = "The first signing key, if you have one: the ARN of a KMS key (RSA_2048 or ECC_NIST_P256, for signing), or of a secret with the private key in PEM. Null makes an empty secret for it. It stays as it is: later keys in KMS go into more_kms_key_arns, and later secrets are called name/keys/..."
  type        = string
  default     = null

  validation {
    condition     = var.signing_key_arn == null || can(regex("^arn:aws[a-z-]*:(kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+|secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+)$", var.signing_key_arn))
    error_message = "signing_key_arn: want the ARN of a KMS key, not of an alias, or of a secret."
  }
}

variable "more_kms_key_arns" {
  description = "Further KMS keys that the gateway may sign with. Name one before \"handstamp keys new\", and take it away when it is retired."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for k in var.more_kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", k))])
    error_message = "more_kms_key_arns: want the ARNs of KMS keys, not of aliases."
  }
}

# ---- What is there besides --------------------------------------------------

variable "private_files" {
  description = "Whether there is a bucket for single private files, which visitors reach by presigned URLs (objects in config.yaml)."
  type        = bool
  default     = false
}

variable "denylist_function_arn" {
  description = "Published CloudFront function that refuses what was revoked, see docs/revocation.md. Its store is written by a gateway that runs elsewhere on the same book, not by this one. Null means none."
  type        = string
  default     = null
}

variable "secrets" {
  description = "Secrets that config.yaml refers to as env:NAME: names of variables, and names of secrets in Secrets Manager, which begin with the name above and /secrets/."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for k, v in var.secrets : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", k)) && startswith(v, "${var.name}/secrets/")])
    error_message = "secrets: want NAME = \"name/secrets/...\"; the gateway may read no others."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic that alarms go to. Null means that they are only shown."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days: want one of the numbers that CloudWatch knows, such as 30."
  }
}

variable "cdn_log_bucket" {
  description = "Bucket for CloudFront's access logs, as BUCKET.s3.amazonaws.com; it must allow ACLs. They hold addresses of visitors and signed URLs, never cookies. Null means no logs."
  type        = string
  default     = null
}

# ---- Limits -----------------------------------------------------------------

variable "firewall" {
  description = "Whether a web ACL limits tickets tried from one address. It is made in us-east-1, where CloudFront has its own."
  type        = bool
  default     = true
}

variable "web_acl_arn" {
  description = "A web ACL that you have, of scope CLOUDFRONT, in place of it."
  type        = string
  default     = null
}

variable "verify_limit" {
  description = "How many tickets one address may show in 5 minutes. A venue's Wi-Fi is one address."
  type        = number
  default     = 1000

  validation {
    condition     = var.verify_limit >= 10 && var.verify_limit <= 2000000000
    error_message = "verify_limit: want 10 to 2,000,000,000."
  }
}

variable "api_rate" {
  description = "Requests a second to the API, all visitors together."
  type        = number
  default     = 500
}

variable "api_burst" {
  description = "How many of them may come at once."
  type        = number
  default     = 1000
}

variable "reserved_concurrency" {
  description = "Instances of the gateway at most, taken out of the account's share. New ones start at up to 1,000 in 10 seconds. -1 reserves none."
  type        = number
  default     = -1

  validation {
    condition     = var.reserved_concurrency == -1 || var.reserved_concurrency > 0
    error_message = "reserved_concurrency: want -1 for none, or 1 and more; 0 would switch the gateway off."
  }
}

variable "price_class" {
  description = "Which edge locations serve: PriceClass_100 (North America and Europe), PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_All"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class: want PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}
