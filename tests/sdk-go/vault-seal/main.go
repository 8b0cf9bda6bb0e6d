// Wraps and unwraps what it reads as a seal of Vault's does, with the wrapper of Vault's own library.
//
//	vault-seal wrap <plaintext >blob
//	vault-seal unwrap <blob >plaintext
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
	"github.com/hashicorp/go-kms-wrapping/wrappers/tencentcloudkms/v2"
	"google.golang.org/protobuf/proto"
)

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: vault-seal wrap|unwrap")
	}
	read, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	ctx := context.Background()
	wrapper := tencentcloudkms.NewWrapper()
	if _, err := wrapper.SetConfig(ctx); err != nil {
		return err
	}
	var written []byte
	switch os.Args[1] {
	case "wrap":
		blob, err := wrapper.Encrypt(ctx, read)
		if err != nil {
			return err
		}
		if written, err = proto.Marshal(blob); err != nil {
			return err
		}
	case "unwrap":
		blob := new(wrapping.BlobInfo)
		if err := proto.Unmarshal(read, blob); err != nil {
			return err
		}
		if written, err = wrapper.Decrypt(ctx, blob); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s: wrap or unwrap", os.Args[1])
	}
	_, err = os.Stdout.Write(written)
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
