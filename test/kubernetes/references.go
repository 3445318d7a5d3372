package main

import (
	"fmt"
	"slices"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	profiles "k8s.io/pod-security-admission/policy"
)

// references says what is wrong between objects.
func references(all []object) []string {
	var faults []string
	d := find[*apps.Deployment](all)
	if d == nil {
		return []string{"no Deployment"}
	}
	pod := d.Spec.Template
	must := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	for _, o := range all {
		if s, ok := selectorOf(o); ok {
			must(len(s.MatchLabels) > 0 && labels.SelectorFromSet(s.MatchLabels).Matches(labels.Set(pod.Labels)), "%T selects %v, and pods have %v", o, s.MatchLabels, pod.Labels)
		}
		must(o.GetNamespace() == d.Namespace || o.GetNamespace() == "" && o.GetName() == d.Namespace, "%T %s is in namespace %q", o, o.GetName(), o.GetNamespace())
	}
	if h := find[*autoscaling.HorizontalPodAutoscaler](all); h != nil {
		must(h.Spec.ScaleTargetRef.Name == d.Name && d.Spec.Replicas == nil, "the autoscaler and the Deployment both count")
	} else {
		must(d.Spec.Strategy.Type == apps.RecreateDeploymentStrategyType && *d.Spec.Replicas == 1, "without autoscaler: want one replica, recreated")
	}
	return append(append(faults, volumes(all, pod.Spec)...), profile(pod)...)
}

// selectorOf returns what o selects pods by.
func selectorOf(o object) (*meta.LabelSelector, bool) {
	switch o := o.(type) {
	case *apps.Deployment:
		return o.Spec.Selector, true
	case *core.Service:
		return &meta.LabelSelector{MatchLabels: o.Spec.Selector}, true
	case *policy.PodDisruptionBudget:
		return o.Spec.Selector, true
	case *networking.NetworkPolicy:
		return &o.Spec.PodSelector, true
	}
	return nil, false
}

// volumes says which mounts have no volume, and which volumes nothing behind
// them. Secrets are made by whoever deploys.
func volumes(all []object, pod core.PodSpec) []string {
	var faults []string
	known := map[string]bool{}
	for _, v := range pod.Volumes {
		known[v.Name] = true
		if v.ConfigMap != nil && !named[*core.ConfigMap](all, v.ConfigMap.Name) {
			faults = append(faults, "no ConfigMap "+v.ConfigMap.Name)
		}
		if c := v.PersistentVolumeClaim; c != nil && !named[*core.PersistentVolumeClaim](all, c.ClaimName) {
			faults = append(faults, "no PersistentVolumeClaim "+c.ClaimName)
		}
	}
	for _, c := range pod.Containers {
		if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
			faults = append(faults, c.Name+": its root can be written")
		}
		if c.Resources.Limits.Memory().IsZero() || c.LivenessProbe == nil || c.ReadinessProbe == nil {
			faults = append(faults, c.Name+": no limit of memory, or a probe is missing")
		}
		for _, m := range c.VolumeMounts {
			if !known[m.Name] {
				faults = append(faults, fmt.Sprintf("%s: mount %s has no volume", c.Name, m.Name))
			}
		}
	}
	return faults
}

// profile holds a pod to the restricted Pod Security Standard.
func profile(pod core.PodTemplateSpec) []string {
	evaluator, err := profiles.NewEvaluator(profiles.DefaultChecks())
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	results := evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec)
	for _, r := range results {
		if !r.Allowed {
			faults = append(faults, "restricted profile: "+r.ForbiddenReason+": "+r.ForbiddenDetail)
		}
	}
	return faults
}

// named reports whether there is a T of that name.
func named[T object](all []object, name string) bool {
	return slices.ContainsFunc(all, func(o object) bool {
		_, ok := o.(T)
		return ok && o.GetName() == name
	})
}

// find returns the one T of all, or its zero value.
func find[T object](all []object) T {
	for _, o := range all {
		if t, ok := o.(T); ok {
			return t
		}
	}
	var none T
	return none
}
