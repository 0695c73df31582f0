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
static const char pem_encrypted[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIevxdmFX5g8QCAggA\n"
    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAECBBCEej2/PsWu3VYhqYuCtgyPBIIE\n"
    "0GnObvvS/IFNNFrM0Nyib9TCVZE5lHijnTCcxIPgc+827XqtLHM9kfQqU/nyM0xD\n"
    "OOLqVpj3wQy8XgTUWURcu0f7faMPzEzk7XAKF7w2WUaRD4O9VwZByYE21jJ0e6aD\n"
    "MEjoC5GWy7j9Cxc/zjsmpwqN16xuiofn/llNOKTlBHUd5wHuQWXoQFGBCqfHfjaL\n"
    "AhWc+CWeCKz+5Okgv5WHRj9wtcyVD3sBik9m6yomAnti35XbMQJvCai89jiq/KzX\n"
    "K6PdCmRCLPGfHq8j1emJEsgycg48szHPKFEgbbt5+sDpb0Bf9vV7OgwN2fycUy94\n"
    "PNjVDYPD2Nlayb9AwsoL6KbIBGR9QLh3ORQXftMDzoyeXxrdUqN4i4ckHpJJCaO8\n"
    "hJXfOHW1VMZNTtFC0BN45P4Cgntymf/0LkeqMVwyyGFO83fPOW+ANaQf0q5PmLMu\n"
    "7JgNPAjRM3pvzjB/zWB1bvPKNqQXVtIZ+jElqhn1TAOb1aqJvQuceuOHG10f2dIn\n"
    "Fyhhz0oXMtomfnP3VNlyWsp1LglTAizBaBnePgqsBXNmJTSqOFspyZhdpAsmbwki\n"
    "jst+JKiBpfDsR9oo9kbhckKTnjT+TL/A6zKe+v1wisdIVqH8huKw/OscSKCULT/4\n"
    "C9gMovnWm2LA5F1TR+J2dtu9Mm39IFzHcKhs7fRR6Fo5LhKu9JL67QFXW/2AJ7mI\n"
    "9v3L49WaoLIJ6kJWRJiruzLZEzsuwBxBhXA/n3Cz5q6cC6xi3nSO0ZGp6ob/qAx9\n"
    "5E8x9wF7cqaPmZ6BWk1VKlm5BfKAdHYPEE1dDQ4vgt03+aqc9w/tywzi9d1vZSPO\n"
    "vXqJd1pGGTZidOR3YrxQvtYQSEF+mioVDcTuwEOHz3y2U+CFjrxMtJpZVrvHZBhE\n"
    "Otgn5rOXIPHMAbn+N6F2pgq2O1vaHYfjKe7qIRxCHFqflnHwfWDpCEWihYrttmQV\n"
    "LcLZXYt3joQOZFc1gL2CVFsRByd9pWUvuZBrt8W7Kr6OF8VqWXQb5dq9vnlEa1YY\n"
    "M7FcxoXNHqdd6yzZBnx8dN35afA08WavN2r6vewEo9rw+G054QfxOl5zV0z0x3ZX\n"
    "UpKg6qlB/pLaCyeX7Q2fQXLuceF9fKITkE/8+1PbQ0Kl+BAiR8IztOpQMKFwCjqb\n"
    "3MC026FD7LHs8UNEtHbRrT781yTViM99Dr9XD1nrU7GBUPHB76r7yrBLLbpD1GXU\n"
    "XOIPx18sw6LDZ6iC/JnRgfwp3nrxPn+vSuLFSMHZ9rtZZlYxSKPVMAKacINKbmkF\n"
    "a+Afh+lsxKCFXFgpYcCD6tsaB0fn4RZkJ9S1V1ZSUxth06BsSLgRT5+rqtmteR8L\n"
    "wN1tUSDZXMBR6cgHixekSObCf1VUswVYpLmw0LZDmwVQAXuhTTHv8S9aqBtS9y8Z\n"
    "TCVAf1/uAAAzbHBP9ey9ABU8KNtRKz7H/0oNt3rAuLevAkviqrtJzYe96+CveoAw\n"
    "xXEprdn9OlXGdS8XhY/7yOynD8FcYn+s18OzljdB0JFjAQRWYndcYfPQrM0B6kLT\n"
    "//rI5QZVkReY2mmu3SIPIT3jHygOeoKjUby0ePUzCl9aZoJIPTQM0dt+J+VblcfV\n"
    "pwRtMX+oIbS343MxyW0AXZaefMU8X7Lfe4igSrweNDrB\n"
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
