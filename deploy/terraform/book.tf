# The layout is that of pkg/book/dynamodb. Who was let in stays when the rest
# goes: take deletion_protection_enabled and prevent_destroy away first.
resource "aws_dynamodb_table" "book" {
  name                        = "${var.name}-book"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = true
  hash_key                    = "pk"
  range_key                   = "sk"

  dynamic "attribute" {
    for_each = ["pk", "sk", "lpk", "lsk"]
    content {
      name = attribute.value
      type = "S"
    }
  }

  global_secondary_index {
    name               = "lists"
    hash_key           = "lpk"
    range_key          = "lsk"
    projection_type    = "INCLUDE"
    non_key_attributes = ["own"]
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = false # false is AWS's own key, not none
  }

  lifecycle {
    prevent_destroy = true
  }
}

# It makes the book's fingerprints of tickets worthless to a thief, and the book
# worthless without it: it has to last as long as the table.
resource "aws_secretsmanager_secret" "pepper" {
  name_prefix = "${var.name}/pepper-"
  description = "Makes fingerprints of tickets. Never change it while the book is in use."

  lifecycle {
    prevent_destroy = true
  }
}

# Made once. Each look makes another, which is ignored. It stands in the state,
# like everything that Terraform makes: keep that encrypted, and to yourself.
data "aws_secretsmanager_random_password" "pepper" {
  password_length     = 48
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "pepper" {
  secret_id     = aws_secretsmanager_secret.pepper.id
  secret_string = data.aws_secretsmanager_random_password.pepper.random_password

  lifecycle {
    ignore_changes = [secret_string]
  }
}
