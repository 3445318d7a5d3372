package main

import (
	"errors"
	"fmt"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// An object is one manifest in the type that Kubernetes has for it.
type object interface{ meta.Object }

// kinds are what the manifests may have.
var kinds = map[string]func() object{
	"v1/Namespace":                           func() object { return new(core.Namespace) },
	"v1/ServiceAccount":                      func() object { return new(core.ServiceAccount) },
	"v1/Service":                             func() object { return new(core.Service) },
	"v1/ConfigMap":                           func() object { return new(core.ConfigMap) },
	"v1/PersistentVolumeClaim":               func() object { return new(core.PersistentVolumeClaim) },
	"apps/v1/Deployment":                     func() object { return new(apps.Deployment) },
	"batch/v1/Job":                           func() object { return new(batch.Job) },
	"policy/v1/PodDisruptionBudget":          func() object { return new(policy.PodDisruptionBudget) },
	"autoscaling/v2/HorizontalPodAutoscaler": func() object { return new(autoscaling.HorizontalPodAutoscaler) },
	"networking.k8s.io/v1/NetworkPolicy":     func() object { return new(networking.NetworkPolicy) },
}

// decode refuses fields that the type does not have, in that very spelling, and
// fields given twice.
func decode(version, kind string, text []byte) (object, error) {
	fresh, ok := kinds[version+"/"+kind]
	if !ok {
		return nil, fmt.Errorf("no type for %s/%s", version, kind)
	}
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	o := fresh()
	strict, err := json.UnmarshalStrict(asJSON, o)
	return o, errors.Join(append(strict, err)...)
}
