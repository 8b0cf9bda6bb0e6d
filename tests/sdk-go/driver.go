// Calls the official Go SDK as a line of JSON on standard input asks, and answers with a line of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tcerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

type call struct {
	Product, Version, Action, Region, Sign, Method, Language, Scheme, Endpoint, Proxy string

	SecretId   string `json:"secret_id"`
	SecretKey  string `json:"secret_key"`
	Token      string
	Unsigned   bool
	Common     bool
	Parameters json.RawMessage
}

type refusal struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestId string `json:"request_id"`
}

type reply struct {
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *refusal        `json:"error,omitempty"`
	Failure string          `json:"failure,omitempty"`
}

func client(asked call) *common.Client {
	made := profile.NewClientProfile()
	made.SignMethod = asked.Sign
	made.Language = asked.Language
	made.UnsignedPayload = asked.Unsigned
	made.HttpProfile.ReqMethod = asked.Method
	made.HttpProfile.Scheme = strings.ToUpper(asked.Scheme)
	made.HttpProfile.Endpoint = asked.Endpoint
	credential := common.NewTokenCredential(asked.SecretId, asked.SecretKey, asked.Token)
	opened := (&common.Client{}).Init(asked.Region).WithCredential(credential)
	if asked.Proxy == "" {
		return opened.WithProfile(made)
	}
	return behind(&url.URL{Scheme: "http", Host: asked.Proxy}, opened, made)
}

func send(asked call) (json.RawMessage, error) {
	var request tchttp.Request
	var response tchttp.Response
	var err error
	if asked.Common {
		request, response, err = untyped(asked)
	} else if typed, known := actions[asked.Action]; known {
		request, response = typed()
		err = json.Unmarshal(asked.Parameters, request)
	} else {
		err = fmt.Errorf("the driver has no request type for %s", asked.Action)
	}
	if err != nil {
		return nil, err
	}
	if err := client(asked).Send(request, response); err != nil {
		return nil, err
	}
	text, err := told(response)
	if err != nil {
		return nil, err
	}
	var envelope struct{ Response json.RawMessage }
	err = json.Unmarshal(text, &envelope)
	return envelope.Response, err
}

func answer(line []byte) reply {
	var asked call
	if err := json.Unmarshal(line, &asked); err != nil {
		return reply{Failure: err.Error()}
	}
	result, err := send(asked)
	var refused *tcerrors.TencentCloudSDKError
	switch {
	case err == nil:
		return reply{Result: result}
	case errors.As(err, &refused) && refused.RequestId != "":
		return reply{Error: &refusal{refused.Code, refused.Message, refused.RequestId}}
	default:
		return reply{Failure: err.Error()}
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	replies := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := replies.Encode(answer(lines.Bytes())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
