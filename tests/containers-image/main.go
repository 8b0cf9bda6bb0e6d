// Does what podman, skopeo, buildah and CRI-O do before they take an image: holds it against a policy.json. Debian builds these tools
// without Sigstore signatures, so their library is asked itself.
//
// containers-image POLICY REGISTRIES_D USERNAME PASSWORD IMAGE: exit 0 where the policy takes the image, 1 with the reason where not.
package main

import (
	"context"
	"fmt"
	"os"

	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	policyFile, registries, username, password, name := args[0], args[1], args[2], args[3], args[4]
	ctx := context.Background()
	system := &types.SystemContext{
		RegistriesDirPath:           registries,
		DockerAuthConfig:            &types.DockerAuthConfig{Username: username, Password: password},
		DockerInsecureSkipTLSVerify: types.OptionalBoolTrue,
	}
	policy, err := signature.NewPolicyFromFile(policyFile)
	if err != nil {
		return err
	}
	reference, err := docker.ParseReference("//" + name)
	if err != nil {
		return err
	}
	source, err := reference.NewImageSource(ctx, system)
	if err != nil {
		return err
	}
	defer source.Close()
	judge, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	defer judge.Destroy()
	allowed, err := judge.IsRunningImageAllowed(ctx, image.UnparsedInstance(source, nil))
	if err != nil {
		return err
	}
	if !allowed {
		return fmt.Errorf("the policy does not take the image")
	}
	return nil
}
