module rookery.test/sdk-go

go 1.24

require (
	github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common v1.3.209
	github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/kms v1.0.563
	github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts v1.1.11
)
