// Package deploy_test holds the templates of deploy/ to what the code says: the
// permissions that it needs, the table that it makes, the headers that it sends.
package deploy_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const templateFile = "../../deploy/cloudformation/template.yaml"

// template returns the root of the CloudFormation template.
func template(t *testing.T) *yaml.Node {
	t.Helper()
	text, err := os.ReadFile(templateFile)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", templateFile, err)
	}
	return document.Content[0]
}

// at returns the node at a path of keys, nil if there is none.
func at(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var next *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
			}
		}
		n = next
	}
	return n
}

// A stack is the template with values for its references and conditions.
type stack struct {
	refs  map[string]string // by what stands in !Ref, !GetAtt or ${}
	truth map[string]bool   // by condition
}

// texts returns the texts that n stands for: one for a scalar, any number for a
// list, none for AWS::NoValue.
func (s stack) texts(t *testing.T, n *yaml.Node) []string {
	t.Helper()
	switch {
	case n.Tag == "!If":
		if s.condition(t, n.Content[0].Value) {
			return s.texts(t, n.Content[1])
		}
		return s.texts(t, n.Content[2])
	case n.Tag == "!Split":
		return strings.Split(s.texts(t, n.Content[1])[0], n.Content[0].Value)
	case n.Kind == yaml.SequenceNode:
		var all []string
		for _, item := range n.Content {
			all = append(all, s.texts(t, item)...)
		}
		return all
	case n.Tag == "!Ref" && n.Value == "AWS::NoValue":
		return nil
	case n.Tag == "!Ref", n.Tag == "!GetAtt":
		return []string{s.ref(t, n.Value)}
	case n.Tag == "!Sub":
		return []string{os.Expand(n.Value, func(name string) string { return s.ref(t, name) })}
	}
	return []string{n.Value}
}

func (s stack) ref(t *testing.T, name string) string {
	t.Helper()
	value, ok := s.refs[name]
	if !ok {
		t.Fatalf("the template refers to %q, which the test does not know", name)
	}
	return value
}

func (s stack) condition(t *testing.T, name string) bool {
	t.Helper()
	value, ok := s.truth[name]
	if !ok {
		t.Fatalf("the template asks for condition %q, which the test does not know", name)
	}
	return value
}

// What holds something that nobody can make again stays, whatever becomes of the
// stack. It must not stay after a creation that failed, where its name would be
// taken; the table has deletion protection and a name of its own.
func TestWhatIsRetained(t *testing.T) {
	want := map[string]string{"Book": "Retain", "Pepper": "RetainExceptOnCreate", "Manifest": "RetainExceptOnCreate", "SigningKey": "RetainExceptOnCreate",
		"MediaBucket": "RetainExceptOnCreate", "PrivateBucket": "RetainExceptOnCreate"}
	all := at(template(t), "Resources")
	for i := 0; i+1 < len(all.Content); i += 2 {
		name, got, replaced := all.Content[i].Value, "", ""
		if policy := at(all.Content[i+1], "DeletionPolicy"); policy != nil {
			got = policy.Value
		}
		if policy := at(all.Content[i+1], "UpdateReplacePolicy"); policy != nil {
			replaced = policy.Value
		}
		if got != want[name] || (replaced == "Retain") != (got != "") {
			t.Errorf("%s has DeletionPolicy %q and UpdateReplacePolicy %q, want %q", name, got, replaced, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("the template has no %v", want)
	}
}

// A statement is one of a policy, as far as it is compared.
type statement struct {
	Sid              string
	Action, Resource []string
}

// statements returns those of a policy whose conditions hold, with actions and
// resources in order.
func (s stack) statements(t *testing.T, list *yaml.Node) []statement {
	t.Helper()
	var all []statement
	for _, n := range list.Content {
		if n.Tag == "!If" {
			if n = n.Content[map[bool]int{true: 1, false: 2}[s.condition(t, n.Content[0].Value)]]; n.Tag == "!Ref" {
				continue
			}
		}
		one := statement{Action: s.texts(t, at(n, "Action")), Resource: s.texts(t, at(n, "Resource"))}
		if sid := at(n, "Sid"); sid != nil {
			one.Sid = sid.Value
		}
		slices.Sort(one.Action)
		slices.Sort(one.Resource)
		all = append(all, one)
	}
	return all
}

// policyKeys are what in a policy could open too much.
var policyKeys = []string{"Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "SourceArn"}

// Every "*" of a policy has a reason beside it, and no action that is allowed has
// one at all.
func TestTemplateWildcardsAreArgued(t *testing.T) {
	root := template(t)
	found := 0
	var walk func(n *yaml.Node, path string, policy, argued bool)
	walk = func(n *yaml.Node, path string, policy, argued bool) {
		argued = argued || n.LineComment != "" || n.HeadComment != ""
		switch n.Kind {
		case yaml.MappingNode:
			if effect := at(n, "Effect"); effect != nil && effect.Value == "Allow" {
				refuseWildActions(t, n)
			}
			for i := 0; i+1 < len(n.Content); i += 2 {
				key, value := n.Content[i], n.Content[i+1]
				walk(value, path+"."+key.Value, policy || slices.Contains(policyKeys, key.Value), key.LineComment != "" || key.HeadComment != "")
			}
		case yaml.SequenceNode:
			for _, item := range n.Content {
				walk(item, path, policy, argued)
			}
		case yaml.ScalarNode:
			if policy && strings.Contains(n.Value, "*") {
				found++
				if !argued {
					t.Errorf("template.yaml:%d: %s is %q, and no comment says why", n.Line, path, n.Value)
				}
			}
		}
	}
	walk(at(root, "Resources"), "Resources", false, false)
	if found < 10 {
		t.Errorf("found %d wildcards in policies, want the 10 or more that there are: the test looks in the wrong places", found)
	}
}

func refuseWildActions(t *testing.T, statement *yaml.Node) {
	t.Helper()
	s := stack{}
	if action := at(statement, "Action"); action != nil {
		for _, text := range s.texts(t, action) {
			if strings.ContainsAny(text, "*?") {
				t.Errorf("template.yaml:%d: %q is allowed, want every action by its name", action.Line, text)
			}
		}
	}
	if at(statement, "NotAction") != nil || at(statement, "NotResource") != nil || at(statement, "NotPrincipal") != nil {
		t.Errorf("template.yaml:%d: a statement allows everything but something", statement.Line)
	}
}
