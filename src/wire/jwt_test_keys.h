/* The key of RFC 7515 appendix A.2 in the forms people have keys in; the others are made to be refused. */
#ifndef WIRE_JWT_KEYS_FOR_TESTS_H
#define WIRE_JWT_KEYS_FOR_TESTS_H

#define RFC7515_N \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt" \
    "0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX" \
    "ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5" \
    "IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC7515_D \
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol" \
    "2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn43" \
    "9X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8" \
    "bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"
#define RFC7515_FACTORS \
    "\"p\":\"" \
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_" \
    "Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc" \
    "\"," \
    "\"q\":\"" \
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7Tje" \
    "LQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc" \
    "\"," \
    "\"dp\":\"" \
    "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOK" \
    "nu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0" \
    "\"," \
    "\"dq\":\"" \
    "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U" \
    "0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU" \
    "\"," \
    "\"qi\":\"" \
    "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5" \
    "cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U" \
    "\""
#define RFC7515_SIGNATURE \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W" \
    "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS" \
    "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv" \
    "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
static const char pem_private[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0\n"
    "l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pC\n"
    "gNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSX\n"
    "ndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD\n"
    "Zlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8\n"
    "q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQABAoIBABKucaRpzQorw35S\n"
    "bEUAVx8dYXUdZOlJcHtiWQ+dC6V8ljxAHj/PLyzTveyI5QO/xkObCyjIL303l2cf\n"
    "UhPu2MFaJdjVzqACXuOrLot/eSFvxjvqVidTtAZExqFRJ9mylUVAoLvhowVWmC1O\n"
    "n95fZCXxTUtxNEG1Xcc7m0rtzJKs45J+N/V9DP1edYH6USyPSWGp6wuA+KgHRnKK\n"
    "Vf9GRx80JQY7nVNkL17eHoTWEwga+lwi0FEoW9Y7lDtWXYmKBWhUE+U8PGxlJf8f\n"
    "40493HDw1WRQ/aSLoS4QTp3rn7gYgeHEvfJdkkf0UMhlknlo53M09EFPdadQ4TlU\n"
    "bjqKc50CgYEA4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH/5IB3jw3bcxGn6QLvnE\n"
    "tfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw/Py5PJdTJNPY8cQn7ouZ2KKDcmnPG\n"
    "BY5t7yLc1QlQ5xHdwW1VhvKn+nXqhJTBgIPgtldC+KDV5z+y2XDwGUcCgYEAuQPE\n"
    "fgmVtjL0Uyyx88GZFF1fOunH3+7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYs\n"
    "p1ZSe7zFYHj7C6ul7TjeLQeZD/YwD66t62wDmpe/HlB+TnBA+njbglfIsRLtXlnD\n"
    "zQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdcCgYAHAp9XcCSrn8wVkMVkKdb7\n"
    "DOX4IKjzdahm+ctDAJN4O/y7OW5FKebvUjdAIt2GuoTZ71iTG+7F0F+lP88jtjP4\n"
    "U4qe7VHoewl4MKOfXZKTe+YCS1XbNvfgwJ3Ltyl1OH9hWvu2yza7q+d5PCsDzqtm\n"
    "27kxuvULVeya+TEdAB1ijQKBgQCH/3r6YrVH/uCWGy6bzV1nGNOdjKc9tmkfOJmN\n"
    "54dxdixdpozCQ6U4OxZrsj3FcOhHBsqAHvX2uuYjagqvo3cOj1TRqNocX40omfCC\n"
    "Mx3bD1yPPf/6TI2XECva/ggqEY2mYzmIiA5LVVmc5nrybr+lssFKneeyxN2Wq93S\n"
    "0iJMdQKBgCGHewxzoa1r8ZMD0LETNrToK423K377UCYqXfg5XMclbrjPbEC3YI1Z\n"
    "NqMtuhdBJqUnBi6tjKMF+34Xf0CUN8ncuXGO2CAYvO8PdyCixHX52ybaDjy1FtCE\n"
    "6yUXjoKNXKvUm7MWGsAYH6f4IegOetN5NvmUMFStCSkh7ixZLkN1\n"
    "-----END RSA PRIVATE KEY-----\n";
static const char pem_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
    "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
    "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
    "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
    "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
    "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
    "oQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
/* pem_private behind "hub-passphrase" */
static const char pem_encrypted[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIQf7/3b4TQCQCAggA\n"
    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBBf/mgzX0yTt1gpMwRww+VHBIIE\n"
    "0HGgPoejO0r72qKDd51XrUizsD4xBOqI966T6T9yPha19zIU6XHUOaut5ZvJJ6P6\n"
    "ArdVCSvqrfpt+RtNW2L2N+omKwvqk8e3e4rdobgOGL35tQa8ExjTAW+m8EbKtWQE\n"
    "BB9A2JTA+lM+e+STcuLvTrW2BOuc95oZBGxtl3+4DBgsGm7BGmO7qQx2LZiMeNwP\n"
    "2n3cUbqlzy/CJPlLb96Jxq1SgE94vtz7QQ6VdzjMzsctVMfDzMsX7/I42SxSqP5E\n"
    "JABt4rde2DOmvJh1u4a9BIdVsWnAQyrOsXxahCKnPts19PS9tv9JRJ463u4bl76r\n"
    "e462aRkLwIT53AJN7xx9ES6cLljaKfhRl40gnXRAzaAyYimGGataVMdqngQ5fqNm\n"
    "4+kp8bMuf46KwTA9ClDGELOWoNjvg3jeY7iRU4J1pMOarI/33C+4UGq9kmsWKOmI\n"
    "WOaU7STzGl785hrcYJxi2yIflD8fICi9efOmDRgT27iswgD2QFegfR3CWE/Y4Re6\n"
    "0QJ/7Ei/Kdji+vWl8E1YQdNIJz38S1uP1i5oaVeqz4ERwYgI7b+AulwM3pWMDDQQ\n"
    "pcLXlExSMIAci1QlSe3S4yTlrf3DUgbT/LmxP9t0SmCgkQIxG8HBh0df4xuyyEF6\n"
    "pFvnTtnIwEAPHtc6Pfxllaux7C3agy6+qZo3Yguw9BCFm/+Y7JjigPLZuqEPi9lU\n"
    "UWIY1w6yiJelIJ1+GYMSJKYnXsW+wwY1eUtrNXTnX2acVFQ0jIdbk6/vK7m47T7p\n"
    "R1Pi3xSSUWoPkYjBYa3dj5GCVOBvJjcF8kgT1a1S7pasHbalazsvs3sS3Vc07HdS\n"
    "/QlcHIlsYTgP0vcScwFKYzFUibHUHvjRGZZ4tRL74uastdUreqOJTOEjwx6rV1LT\n"
    "2vs5ra4DsqUlRPYIPNvhzGUj/6ZHteM17Emy1hOeTfqIg+LRcEc2iIG0xIlk9rTg\n"
    "DWuAfz98rwhp4JqzvXVs2219ITlH8dytyR7eMVCUAtvcrFtWGr8pJUPiGYsJwqGT\n"
    "jLwx3zd6fiJsIgTj+XM/nL5ZOEdxkcQpxEBTh/O2RJc22WNqh39B+ESZyNwOD/Cz\n"
    "3PLs93wPUj41jBgSIIJ3NECR8q4F9dahvIM+lHpGVqtEhQ5wz+981QrH6LM42kAH\n"
    "kr6qAP0E2pkv3a/5FCou6LRfnl5VEVsBD9Vgs6YzmLQbso946GuSiwqbbCExrhUK\n"
    "oZO9KW1nIjiRkEiOWW44Xde+ZVSWRZlxcXxFa/b1UePScAldxWYH8ZHt8piCPRta\n"
    "h3yXJwZ6bWKPCSqE+74bsKICtvruuqf+OOl/HWEvoJm2OT8yJ66PXQou49tJSqIF\n"
    "CpHuxKq6oPwvREtPF9wGEg0rGpvfSR/FtS4ABTjpO9FncPqDmCyJICr6PyQ6UdPa\n"
    "UIddyJURKvhFiukjbXzqKvqguuIqxXILhd/jdOT2keLCSxM0U3Qu0iQzTDBP27GO\n"
    "MMWfh3T7Y/TI2Pf0Zk1DRhm3Ez7b0G7y0La9Wj71j5jFckgWmMoAI4XdfcPfAdap\n"
    "/VSea0rN1ZhxaMexEDEjAO8uhbfMnwdoqltY8dy+sIIOkOPxYNdIEAseGSXfz0hK\n"
    "KgX5S1jxQbPlsnL7CcSq8onXNFXJgYobtLnomeXXwg9Q\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
static const char pem_elliptic[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIHYf/jh7WZpVHxtUqigju7HQRNEP17SGgLzbyZxAdGTUoAoGCCqGSM49\n"
    "AwEHoUQDQgAEPzgH3ePJQOSq7vpJzs9NLIQP1ihRyMvNRnXQM1nzDbiga9+qEpwh\n"
    "HYLyay91fUHQH3vceahhjDcCacskqsggQA==\n"
    "-----END EC PRIVATE KEY-----\n";
static const char pem_small[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAOrKjPzVdmTa/Q6T\n"
    "NEhW3t4p1Dt5W4HBJRu3OyChPLkwU4jrtPJvC7ukUGAFptPA6IxBz/+tDu9bNwyB\n"
    "2ducEWxhl8DVPA2d3ZOSNDdAk5Ier0JH0k/EYLZryy9HxpWSjjoFGqolT5B2VN/w\n"
    "W7gVrfoSpqzQO8YKYgUC+RM77QEXAgMBAAECgYAX+mmdpJs7v5WaeHQdcym9nJ39\n"
    "GO68eKI2i2bxdSYDb6kIUbIgFDEpj6VZuRoJhCj7sfjxDpZ44WLk1xoNsImiytLN\n"
    "G2XgyciRQ3FavfsNwFRM1A5bCLXGqY/4vieeNr9pJC+mijkNCMdn3mS3mhJHzhYJ\n"
    "K/z5pfksOFZOBpUf+QJBAP8+rx5OCo2koX6rlWRE4ca0ulQknW86CZuGUVAcdjfE\n"
    "hpbTJEqeeaSICHc8jXGQbDe00XqpvHUWM6ULmcBGWO0CQQDrfGAnzYgRWzcAHi2v\n"
    "kF9bJr2jxPycCJjfd8PDGMMy8mbo/WgtjfeAC58j4XijggnrtDCNSyNJ1oBCe6uO\n"
    "HpWTAkBgD95mYGa2YkRpYPhLkWULnM8XheQ+jTA6eTW3Gc8gM/WXZAWfk78iPhQ5\n"
    "k++D0x/3YzUHnkQQKPfs4M3PwGoNAkBSblZGeJbh5HkrTGUXqMUIZlZJ5qG6iPPi\n"
    "fc0EFT33Lo1Bj7sQ/zodE3RgngOZ0OJiJNA+FYhDx5dcLmhONnyLAkEA8kxp77HF\n"
    "678jVx0VkIzMLVX59QwtOYW1L4LOA/VV/vquS29uB+KF/HwoJfGr+sC+ELRVIZKY\n"
    "cRBH2vg27w6ZOw==\n"
    "-----END PRIVATE KEY-----\n";
#endif
