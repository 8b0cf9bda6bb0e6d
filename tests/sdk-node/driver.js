// Calls the official Node SDK as a line of JSON on standard input asks, and answers with a line of JSON.
"use strict";

const readline = require("node:readline");
const { CommonClient } = require("tencentcloud-sdk-nodejs/tencentcloud/common/common_client");

function client(call) {
  const http = { reqMethod: call.method, protocol: `${call.scheme}://`, endpoint: call.endpoint };
  if (call.proxy) http.proxy = `http://${call.proxy}`;
  const config = {
    credential: { secretId: call.secret_id, secretKey: call.secret_key, token: call.token },
    region: call.region,
    profile: { signMethod: call.sign, language: call.language, httpProfile: http },
  };
  const version = "v" + call.version.replaceAll("-", "");
  if (call.common) return new CommonClient(call.endpoint, call.version, config);
  const { Client } = require(`tencentcloud-sdk-nodejs/tencentcloud/services/${call.product}/${version}`)[version];
  return new Client(config);
}

async function answer(call) {
  try {
    const made = client(call);
    return { result: await (call.common ? made.request(call.action, call.parameters) : made[call.action](call.parameters)) };
  } catch (error) {
    if (!error.code) return { failure: String(error.stack) };
    return { error: { code: error.code, message: error.message, request_id: error.requestId } };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
  }
})();
