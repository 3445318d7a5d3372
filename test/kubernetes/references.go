package main

import (
	"fmt"
	"slices"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
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
	job := find[*batch.Job](all)
	if job != nil {
		faults = append(faults, alone(all, job, d)...)
	}
	if h := find[*autoscaling.HorizontalPodAutoscaler](all); h != nil {
		must(h.Spec.ScaleTargetRef.Name == d.Name && d.Spec.Replicas == nil, "the autoscaler and the Deployment both count")
	} else {
		want := int32(1)
		if job != nil {
			want = 0
		}
		must(d.Spec.Strategy.Type == apps.RecreateDeploymentStrategyType && d.Spec.Replicas != nil && *d.Spec.Replicas == want, "without autoscaler: want %d replicas, recreated", want)
	}
	faults = append(faults, ports(all, pod.Spec)...)
	for _, c := range pod.Spec.Containers {
		must(c.LivenessProbe != nil && c.ReadinessProbe != nil, "%s: a probe is missing", c.Name)
	}
	return append(append(faults, volumes(all, pod.Spec)...), profile(pod)...)
}

// alone holds a Job to its volume, which the gateway has while it runs, and to the
// profile. No visitor may be sent to it.
func alone(all []object, job *batch.Job, d *apps.Deployment) []string {
	pod := job.Spec.Template
	faults := append(volumes(all, pod.Spec), profile(pod)...)
	for _, o := range all {
		if s, ok := selectorOf(o); ok && labels.SelectorFromSet(s.MatchLabels).Matches(labels.Set(pod.Labels)) {
			faults = append(faults, fmt.Sprintf("%T selects the pods of Job %s", o, job.Name))
		}
	}
	if image := d.Spec.Template.Spec.Containers[0].Image; pod.Spec.Containers[0].Image != image {
		faults = append(faults, fmt.Sprintf("Job %s has image %s, and the Deployment %s", job.Name, pod.Spec.Containers[0].Image, image))
	}
	return faults
}

// ports says which ports that a Service or a policy names pods do not have, and
// where a Service has another number than its pods.
func ports(all []object, pod core.PodSpec) []string {
	var faults []string
	known := map[string]int32{}
	for _, c := range pod.Containers {
		for _, p := range c.Ports {
			known[p.Name] = p.ContainerPort
		}
	}
	for _, o := range all {
		switch o := o.(type) {
		case *core.Service:
			for _, p := range o.Spec.Ports {
				if number, ok := known[p.TargetPort.StrVal]; !ok || p.Port != number {
					faults = append(faults, fmt.Sprintf("Service port %d goes to %s, which is %d: want the same", p.Port, p.TargetPort.String(), number))
				}
			}
		case *networking.NetworkPolicy:
			for _, rule := range o.Spec.Ingress {
				for _, p := range rule.Ports {
					if _, ok := known[p.Port.StrVal]; !ok || len(rule.From) == 0 {
						faults = append(faults, fmt.Sprintf("NetworkPolicy %s: port %s is not there, or is open to all", o.Name, p.Port))
					}
				}
			}
		}
	}
	return faults
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
		if c.Resources.Limits.Memory().IsZero() {
			faults = append(faults, c.Name+": no limit of memory")
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
