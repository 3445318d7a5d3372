package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/handstamp/handstamp/pkg/keyring"
	"github.com/handstamp/handstamp/pkg/keyring/keygroup"
)

// publishByHand says how to give a public key to CloudFront without handstamp.
func publishByHand(e *keyring.Entry, group string) string {
	name := keygroup.KeyName(e.Fingerprint)
	config, err := json.Marshal(struct{ CallerReference, Name, EncodedKey string }{e.Fingerprint, name, e.Public})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf(byHandHelp, config, group, "PublicKey"+e.Fingerprint[:8], e.Fingerprint, name, indent(e.Public, 10), group)
}

func indent(text string, by int) string {
	pad := strings.Repeat(" ", by)
	return pad + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+pad)
}

const byHandHelp = `With the AWS CLI:

  aws cloudfront create-public-key --public-key-config '%s'

It answers with the ID of the public key. Put that into the key group %[2]q, beside
the IDs that are there (get-key-group shows them, and the ETag):

  aws cloudfront list-key-groups
  aws cloudfront get-key-group --id GROUP-ID
  aws cloudfront update-key-group --id GROUP-ID --if-match ETAG \
    --key-group-config 'Name=%[2]s,Items=OLD-ID,NEW-ID'

If there is no key group yet, make it, and name it in the paid cache behaviors:

  aws cloudfront create-key-group --key-group-config 'Name=%[2]s,Items=NEW-ID'

With CloudFormation:

  %[3]s:
    Type: AWS::CloudFront::PublicKey
    Properties:
      PublicKeyConfig:
        CallerReference: %[4]q
        Name: %[5]s
        EncodedKey: |
%[6]s
  KeyGroup:
    Type: AWS::CloudFront::KeyGroup
    Properties:
      KeyGroupConfig:
        Name: %[7]s
        Items:
          - !Ref %[3]s   # beside those that are there
`

// removeByHand says how to take a public key from CloudFront without handstamp.
func removeByHand(e *keyring.Entry) string {
	return fmt.Sprintf(removeHelp, e.ID)
}

const removeHelp = `At CloudFront, take %[1]s out of the key group, then delete it:

  aws cloudfront update-key-group --id GROUP-ID --if-match ETAG --key-group-config 'Name=...,Items=THE-OTHERS'
  aws cloudfront delete-public-key --id %[1]s --if-match "$(aws cloudfront get-public-key --id %[1]s --query ETag --output text)"
`
