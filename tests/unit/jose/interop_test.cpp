#include <doctest/doctest.h>

#include <string>

#include "jose/verify.h"
#include "support/jose_keys.h"

namespace interop_test {

using namespace roomcast;
using namespace roomcast::jose;

namespace {

/// A token that the npm package jose 5.10 has made (tests/support/tokens.js), with its key.
struct Made {
  Algorithm algorithm;
  std::string jwk;
  std::string token;
  std::string pem;  // of a public key
};

const Made made[] = {
    {Algorithm::hs256,
     R"({"kty":"oct","k":"YnBRRDM3RGt3OVE3S3VZNExrNnpHd2xTd3BTQ0xQbmt0YmZNSE5EbVRpQjRtaDFMRGM5Z2swUml2dEdvR1)"
     R"(dqeQ","alg":"HS256","use":"sig","kid":"key-HS256"})",
     R"(eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1IUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.95YmJ2t8WG4wti3FZLoNTIuJhriW5chCDiQk8or9jOY)",
     ""},
    {Algorithm::hs384,
     R"({"kty":"oct","k":"eUJidlQxdTQ2ZzBHZUd2cGUwV0RiZVhrcGJfRVFaakF1MUtmZEZyX3hfaE9ncFZadGt6Mi1nY3pidEZjWX)"
     R"(pPTA","alg":"HS384","use":"sig","kid":"key-HS384"})",
     R"(eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1IUzM4NCJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.TEiygNI1-tqfQ0HZWl2IqY5HTO-fcQ213CY8d8uzxeZEVAOhu3siCgZjWFmLiO_1)",
     ""},
    {Algorithm::hs512,
     R"({"kty":"oct","k":"N2hzLTFaeHBiSW9TSHdYbmI1dWI4U2hSanR3alQxSTV5Y3VDV3RRbFJkOF9jM3NIMzNSaktyTTM5Nkp2aU)"
     R"(VJSg","alg":"HS512","use":"sig","kid":"key-HS512"})",
     R"(eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1IUzUxMiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.s75e13FDgjE4QbFr_Mxe8QmEzlH7QiiICOjwQf_aEK5NFtJuy4YJiONtqaYHJ-ArY5BrhllYvf6nJ9sxfEKv4Q)",
     ""},
    {Algorithm::rs256,
     R"({"kty":"RSA","n":"rt2UtXv9GxGXEwuqtnpSV3Aif7Z6J49MKVqQ9O3osB-AWvpfK0FgapYAExnYXm70mLL4ZBXOmR75ItYsVv)"
     R"(DD3m5lpjbz2gffbfgajPGr7IOy0UDYyZkj9AYtpBpn8-hp9JgsB4luhEc4KOb7T17s0YoPwfnkwZ-KnC4n4HWA3Iv-iu26glBuds)"
     R"(LVrmdHn0En-uKRNYe0aDZx9zTvd0pWmrT5T9SMaujqKUZynwqk-2Ru9FerSTQT6Pc_jvQGj5S0q6BEY2iOHDtpfixytOyCq6lKko)"
     R"(u6RGDCAWuLUXQI1HrRgsik0IXpNOCukSfgrP71XMPUdinW_kZKpdrswZ4fdw","e":"AQAB","alg":"RS256","use":"sig",")"
     R"(kid":"key-RS256"})",
     R"(eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1SUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.QS1-ISkiDigVDHuYi0ME2j7ogxS2R2w29s8NrmtMzi57GKkyE0zjUeW8NIyzEpj0FjV6hq4I8fYbciOMh1MtqKISHhfJaOb)"
     R"(ffbstPa9vthC61Gfh3qYgJrJShhqW9f22mUMQlgLOchJIxw7-KVo-3bc15TLPguVeHxl7hYKl3fb4OtItfarlW8uxiVaNy9KoMGk)"
     R"(caDpu_X9_QpisRILfhg5nkFXzNaCrVJdmEOnPrTFsImcEqLMtVyXOFRq1YenvyrePjWW1-jXMxUUIZV7-JWTSjowpDDUke2Myb89)"
     R"(Pxyb_0_b-5u7St8h-xsfsss8VEqb8hkCmvAE-A3LisYT31g)",
     "-----BEGIN PUBLIC KEY-----\n"
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArt2UtXv9GxGXEwuqtnpS\n"
     "V3Aif7Z6J49MKVqQ9O3osB+AWvpfK0FgapYAExnYXm70mLL4ZBXOmR75ItYsVvDD\n"
     "3m5lpjbz2gffbfgajPGr7IOy0UDYyZkj9AYtpBpn8+hp9JgsB4luhEc4KOb7T17s\n"
     "0YoPwfnkwZ+KnC4n4HWA3Iv+iu26glBudsLVrmdHn0En+uKRNYe0aDZx9zTvd0pW\n"
     "mrT5T9SMaujqKUZynwqk+2Ru9FerSTQT6Pc/jvQGj5S0q6BEY2iOHDtpfixytOyC\n"
     "q6lKkou6RGDCAWuLUXQI1HrRgsik0IXpNOCukSfgrP71XMPUdinW/kZKpdrswZ4f\n"
     "dwIDAQAB\n"
     "-----END PUBLIC KEY-----\n"},
    {Algorithm::rs384,
     R"({"kty":"RSA","n":"qxV21P5vy1N20bWYqyBl05yTSt9oy_PhkrO7lyirO_NnOltxtVU2wez-FzjmqAfeBxJmBISa1pHpfMsU6z)"
     R"(zu6ftMXobxOveZewBnyuN94sY3BvDa6A91Sevw76XuXZlBbCkN1hMxJ8nmZ6AxHYKFW_z4xM4I53ZfYWhwR0bSx3-4idh66qR4Yb)"
     R"(GHAUThYQJe2iwD71ts9kzywHyQKR6ZxUrlWWtHNgd2DaHaklbkbXTQhW4gTw4DkSl2j9RpXWHif-g52bxJSJs3PsHktYZ9G1BIfX)"
     R"(iVgU82-g_fRUvIc5UA2NAvSV8m71w1gfmNrCLgDil1ew_vN7LqXhMO8Y5Fzw","e":"AQAB","alg":"RS384","use":"sig",")"
     R"(kid":"key-RS384"})",
     R"(eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1SUzM4NCJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.c6xlSdH9q9Y6rzSY9HP-RIq7GEjz7sPr3ZSC8N39Gw01uQ3lFplMF2mRBR1SnPxhpHxx5LmvmoEBu314TlhS9FPb73C_YoN)"
     R"(OLM9_oSncXvMdH3NENLupGhqRqY0J7o1rd-Jh1kbdLkrgfh7kAy6mPeJ2i7boD14F79MjNUa3al9CeXu6xABqmkJij2B8FJtsDL5)"
     R"(NyVtmPtmYs4CBs8dPiNUxgsCRHcGgtgGHJs9E89Oc_2O3JRBpWCHILxvcXtYl0ckFfFqtj4Xk18BE_9_sKtIO2YbiUSt2BjA9aM2)"
     R"(a7H8EqC0J-w9NyCDwpLuzhnmSOimQbDGO2pv8MDb6qpswoA)",
     "-----BEGIN PUBLIC KEY-----\n"
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqxV21P5vy1N20bWYqyBl\n"
     "05yTSt9oy/PhkrO7lyirO/NnOltxtVU2wez+FzjmqAfeBxJmBISa1pHpfMsU6zzu\n"
     "6ftMXobxOveZewBnyuN94sY3BvDa6A91Sevw76XuXZlBbCkN1hMxJ8nmZ6AxHYKF\n"
     "W/z4xM4I53ZfYWhwR0bSx3+4idh66qR4YbGHAUThYQJe2iwD71ts9kzywHyQKR6Z\n"
     "xUrlWWtHNgd2DaHaklbkbXTQhW4gTw4DkSl2j9RpXWHif+g52bxJSJs3PsHktYZ9\n"
     "G1BIfXiVgU82+g/fRUvIc5UA2NAvSV8m71w1gfmNrCLgDil1ew/vN7LqXhMO8Y5F\n"
     "zwIDAQAB\n"
     "-----END PUBLIC KEY-----\n"},
    {Algorithm::rs512,
     R"({"kty":"RSA","n":"48jp1CbrGpAVinLbt7Iq3iNf3ElnmqL-xVXJuAtDSMqiEsPqoFwbQtPbI0biQHX1OiRnvDrSLZIzwjEj-h)"
     R"(HOSsQcl8QovU5surqAf3DFEIV8beDq8PRYf0dG4XKHaAntNZQC28WqQIVY5xhL8u1ZjKIl2unXwbiWc9MVng_E9ISdxFlSVBMkwA)"
     R"(LTI-l_FZWn8IZPabRYPHICoQM-71Ra80-tQU2UsQL8ThIeE-YvcJuKR-ox8MjYOY6cE9Y54cZaxkFLFhsjSDaHo5EEnCuBx_cHjr)"
     R"(wkYa8qkaKTdyQgl86B2m4tsZA4ZXJciwY8eQztT7sU8w7KouIltqS2CmW5EQ","e":"AQAB","alg":"RS512","use":"sig",")"
     R"(kid":"key-RS512"})",
     R"(eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1SUzUxMiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.Oc_moqBMzDYNfJ6YX5SgRL0m3-VPoRj2fcHHD_du1BszvUO_M8YlJKsguD3MfDEy0t-JS6mEN4HCmySPwW_i82t_CBao2B5)"
     R"(XVoD8V8STVPNxSZSHjV1gc91lVGUCW4djKRQaGbnQVcarW4lxo-M71bQWBgYegbh4mmnRjGR8GU0LYzm5d0b6H9wxvqbZHENUQkQ)"
     R"(6EWaFjZyUYF1sWSguTtFsYRGUiceaE5uKE6hcrOt6wDHxolI5uL5hlIIFEgfqmdN-CV7dl90K4dJ_Kl7f6WQmr4ET0ilCfpFfPRs)"
     R"(f3ElPFauM5w3m2Ax2XA-20iS01-06pDDDrfdLzXTJKts7mg)",
     "-----BEGIN PUBLIC KEY-----\n"
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA48jp1CbrGpAVinLbt7Iq\n"
     "3iNf3ElnmqL+xVXJuAtDSMqiEsPqoFwbQtPbI0biQHX1OiRnvDrSLZIzwjEj+hHO\n"
     "SsQcl8QovU5surqAf3DFEIV8beDq8PRYf0dG4XKHaAntNZQC28WqQIVY5xhL8u1Z\n"
     "jKIl2unXwbiWc9MVng/E9ISdxFlSVBMkwALTI+l/FZWn8IZPabRYPHICoQM+71Ra\n"
     "80+tQU2UsQL8ThIeE+YvcJuKR+ox8MjYOY6cE9Y54cZaxkFLFhsjSDaHo5EEnCuB\n"
     "x/cHjrwkYa8qkaKTdyQgl86B2m4tsZA4ZXJciwY8eQztT7sU8w7KouIltqS2CmW5\n"
     "EQIDAQAB\n"
     "-----END PUBLIC KEY-----\n"},
    {Algorithm::ps256,
     R"({"kty":"RSA","n":"03xbw8KeToXOWpZmMEcJQhQdfakHOFgruOqKPOrkE6VQQ8b9DeJEnMZT6-mK-IDjoQM9H3snpQU07EPSR_)"
     R"(a-nN9ZFjRcWjKG9BBMb3eUFdlKJl-P5u13vOnmQREXndFzr3mPzT6ENwIxif_Q356EAi6IijeeHeuMGQu9SSydQyHnkFUVKifmxv)"
     R"(NVS8Rgy74PIAxWAs5LqnB7o1Vsi2BV5bbXDdf2adUlQwVG3ljKghDf4IlVqNBCaO-MZsuE0z8VF-c1C0h3CMDjrHaVs2EM9_kQL8)"
     R"(sfRMEZRqyEC8qwTSXAWb2txdC5GLBejhodcmrTwH8uNs-QVyeImqjVtyD2rw","e":"AQAB","alg":"PS256","use":"sig",")"
     R"(kid":"key-PS256"})",
     R"(eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1QUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.JM7QVPzW6uvTiXvm2TAhUMGqLvVMnQCniNABLdsDfDucUxCxICTB21DFoPOunDY0CcCvEZG-A4KTHADngRLRe-LauSAMC2N)"
     R"(EadNkzLo7dGrynliKfpPzcvrjHFQtskEZdb97a4tx9HCFp8ABj_h1dcCNunMFoM_rzxlsrpwFuOHLoRX6hErRt9Y7ezcF2-rfqt7)"
     R"(sitkHxDnZ3FmA_wsHAKx5OzMpNM0IR2LMltHe-0ZDbHBJZulztmDf14XW4jcpY660aPLtQWQx49sAKZ6lcp8GqYki4ajaBQx7DO6)"
     R"(KTbbL9x7S-4cNRS1ccRVJDTeu3p3wnmEnsrK_rw9ehZ3y6A)",
     "-----BEGIN PUBLIC KEY-----\n"
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA03xbw8KeToXOWpZmMEcJ\n"
     "QhQdfakHOFgruOqKPOrkE6VQQ8b9DeJEnMZT6+mK+IDjoQM9H3snpQU07EPSR/a+\n"
     "nN9ZFjRcWjKG9BBMb3eUFdlKJl+P5u13vOnmQREXndFzr3mPzT6ENwIxif/Q356E\n"
     "Ai6IijeeHeuMGQu9SSydQyHnkFUVKifmxvNVS8Rgy74PIAxWAs5LqnB7o1Vsi2BV\n"
     "5bbXDdf2adUlQwVG3ljKghDf4IlVqNBCaO+MZsuE0z8VF+c1C0h3CMDjrHaVs2EM\n"
     "9/kQL8sfRMEZRqyEC8qwTSXAWb2txdC5GLBejhodcmrTwH8uNs+QVyeImqjVtyD2\n"
     "rwIDAQAB\n"
     "-----END PUBLIC KEY-----\n"},
    {Algorithm::es256,
     R"({"kty":"EC","x":"h4Zndoq91neFX4m65JZGeG1pXv72KCYWhxKXHdWjJws","y":"qAbI-Ck-EU97vwLrVJhB-EtISi_hx1W-6)"
     R"(USGis186-Y","crv":"P-256","alg":"ES256","use":"sig","kid":"key-ES256"})",
     R"(eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1FUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.IfuMHJxu1Wo_tnqOoe_kU0EE8cYIyQGwOLbhr9Un6VNpqgu1903H5c-IyUzJmfCxb-5f0q7pt7r62pqxDRjJSQ)",
     "-----BEGIN PUBLIC KEY-----\n"
     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEh4Zndoq91neFX4m65JZGeG1pXv72\n"
     "KCYWhxKXHdWjJwuoBsj4KT4RT3u/AutUmEH4S0hKL+HHVb7pRIaKzXzr5g==\n"
     "-----END PUBLIC KEY-----\n"},
    {Algorithm::es384,
     R"({"kty":"EC","x":"6SdYS00Sg1ffW_k22pzJZnwx9SwTN2JeiLJyvu7RDjimtxhB8tGPMS-tbVoKedMs","y":"OT3JEHlPc-9G)"
     R"(kHN75L__YnL6YAOPJ4WDdPi6H7YOiEmnMEqqNgQkBhqpcIOjVYcN","crv":"P-384","alg":"ES384","use":"sig","kid":)"
     R"("key-ES384"})",
     R"(eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1FUzM4NCJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.HBHk0jjFkLlPtGcYAbj-F6EAdR7ddayI8WqijrytajQ3kgfus1DQnbidQ5TtO2DmLrQmeEh8PnmdFK-DsW6QPDu2SLkiDbE)"
     R"(MKkD6IaXOpQjM34hvPUl0GqPFqyGotNIp)",
     "-----BEGIN PUBLIC KEY-----\n"
     "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE6SdYS00Sg1ffW/k22pzJZnwx9SwTN2Je\n"
     "iLJyvu7RDjimtxhB8tGPMS+tbVoKedMsOT3JEHlPc+9GkHN75L//YnL6YAOPJ4WD\n"
     "dPi6H7YOiEmnMEqqNgQkBhqpcIOjVYcN\n"
     "-----END PUBLIC KEY-----\n"},
    {Algorithm::eddsa,
     R"({"crv":"Ed25519","x":"BbhIMefcDcw-EuV1_s8AgsWwGL-tUYqM-3KYW7CugdU","kty":"OKP","alg":"EdDSA","use":")"
     R"(sig","kid":"key-EdDSA"})",
     R"(eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImtleS1FZERTQSJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA)"
     R"(wMDMwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIMO)"
     R"(pIn0.pG-I3qs-syECMxZKbpXAHIlNTP3nXDOCqomqmHefIlNZR6mvy2jeIxtrykjeWQKUMIbWcb5xcu9NdL7JPZ48Dg)",
     "-----BEGIN PUBLIC KEY-----\n"
     "MCowBQYDK2VwAyEABbhIMefcDcw+EuV1/s8AgsWwGL+tUYqM+3KYW7CugdU=\n"
     "-----END PUBLIC KEY-----\n"},
};

void check_accepted(const Made& one, const KeySet& keys) {
  const auto parsed = parse(one.token);
  REQUIRE(parsed.ok());
  CHECK(parsed->algorithm() == one.algorithm);
  CHECK(parsed->kid() == "key-" + std::string(to_string(one.algorithm)));
  const auto claims =
      verify(*parsed, keys, {.issuer = "https://issuer.example", .audience = {"chat"}, .now_s = 1700000299});
  REQUIRE(claims.ok());
  CHECK(claims->object.find("sub")->equals("ada"));
  CHECK(claims->issued_s == 1700000000);
  CHECK(claims->expires_s == 1700000300);
  CHECK(claims->object.find("name")->equals("Ada é"));
}

}  // namespace

TEST_CASE("interop: tokens that jose has made are accepted with its JWK Set and its PEM") {
  std::string all;
  for (const Made& one : made)
    all.append(all.empty() ? "" : ",").append(one.jwk);
  const auto keys = KeySet::from_jwks(R"({"keys":[)" + all + "]}", test::every_algorithm(), JwksOrigin::file);
  REQUIRE(keys.ok());
  CHECK(keys->keys().size() == test::all_algorithms.size());
  for (const Made& one : made) {
    CAPTURE(to_string(one.algorithm));
    check_accepted(one, *keys);
    if (one.pem.empty()) continue;
    auto key = Key::from_pem(one.pem, {one.algorithm});
    REQUIRE(key.ok());
    check_accepted(one, KeySet(std::move(*key)));
  }
}

TEST_CASE("interop: the keys of one token do not accept another") {
  for (const Made& one : made) {
    const auto keys =
        KeySet::from_jwks(R"({"keys":[)" + one.jwk + "]}", test::every_algorithm(), JwksOrigin::file);
    REQUIRE(keys.ok());
    for (const Made& other : made) {
      const auto parsed = parse(other.token);
      REQUIRE(parsed.ok());
      CHECK(check_signature(*parsed, *keys).has_value() == (one.algorithm != other.algorithm));
    }
  }
}

}  // namespace interop_test
