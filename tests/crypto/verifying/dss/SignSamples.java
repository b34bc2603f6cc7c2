import eu.europa.esig.dss.signature.AbstractSignatureParameters;
import eu.europa.esig.dss.asic.cades.ASiCWithCAdESSignatureParameters;
import eu.europa.esig.dss.asic.cades.signature.ASiCWithCAdESService;
import eu.europa.esig.dss.asic.xades.ASiCWithXAdESSignatureParameters;
import eu.europa.esig.dss.asic.xades.signature.ASiCWithXAdESService;
import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.enumerations.ASiCContainerType;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.service.ocsp.OnlineOCSPSource;
import eu.europa.esig.dss.service.tsp.OnlineTSPSource;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.File;
import java.nio.file.Path;
import java.security.KeyStore.PasswordProtection;
import java.util.List;

/**
 * Signs the samples of this folder with EU DSS; make.py starts it.
 *
 * <p>Arguments: folder, URL of the time stamping authority, URL of that for archive timestamps.
 */
public final class SignSamples {
  private static final char[] PASSWORD = "samples".toCharArray();

  private static final String INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

  private final Path folder;
  private final CommonCertificateVerifier verifier = new CommonCertificateVerifier();
  private final OnlineTSPSource stamps;
  private final OnlineTSPSource archiveStamps;

  private SignSamples(Path folder, String tsa, String archiveTsa) {
    this.folder = folder;
    stamps = new OnlineTSPSource(tsa);
    archiveStamps = new OnlineTSPSource(archiveTsa);
    var anchors = new CommonTrustedCertificateSource();
    anchors.addCertificate(DSSUtils.loadCertificate(file("root.crt")));
    verifier.setTrustedCertSources(anchors);
    var authorities = new CommonCertificateSource();
    authorities.addCertificate(DSSUtils.loadCertificate(file("issuing.crt")));
    verifier.setAdjunctCertSources(authorities);
    verifier.setOcspSource(new OnlineOCSPSource());
    verifier.setCrlSource(
        new ExternalResourcesCRLSource(new FileDocument(file("root.crl")), new FileDocument(file("issuing.crl"))));
  }

  private File file(String name) {
    return folder.resolve(name).toFile();
  }

  private DSSDocument input(String name) {
    return new FileDocument(file("inputs/" + name));
  }

  private Pkcs12SignatureToken open(String key) throws Exception {
    return new Pkcs12SignatureToken(file(key + ".p12"), new PasswordProtection(PASSWORD));
  }

  private interface Signing {
    DSSDocument with(Pkcs12SignatureToken token, DSSPrivateKeyEntry key) throws Exception;
  }

  private void save(String name, String key, Signing signing) throws Exception {
    try (var token = open(key)) {
      signing.with(token, token.getKeys().get(0)).save(folder.resolve("signed/" + name).toString());
    }
    System.out.println(name);
  }

  private static <P extends AbstractSignatureParameters<?>> P prepared(P parameters, DSSPrivateKeyEntry key) {
    parameters.setSigningCertificate(key.getCertificate());
    parameters.setCertificateChain(key.getCertificateChain());
    parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
    return parameters;
  }

  private void pdf(String level) throws Exception {
    pdf("pades-" + level + ".pdf", level, "person", false);
  }

  private void pdf(String name, String level, String signer, boolean pss) throws Exception {
    save(name, signer, (token, key) -> {
      var p = prepared(new PAdESSignatureParameters(), key);
      if (pss) {
        p.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
        p.setDigestAlgorithm(DigestAlgorithm.SHA512);
      }
      p.setSignatureLevel(level("PAdES", first(level)));
      p.setContentSize(8192);
      var service = new PAdESService(verifier);
      service.setTspSource(stamps);
      var document = input("report.pdf");
      var value = token.sign(service.getDataToSign(document, p), p.getSignatureAlgorithm(), key);
      var signed = service.signDocument(document, p, value);
      if (!level.equals("lta")) {
        return signed;
      }
      service.setTspSource(archiveStamps);
      p.setSignatureLevel(level("PAdES", level));
      return service.extendDocument(signed, p);
    });
  }

  private void cades(String name, String level, SignaturePackaging packaging, String signer) throws Exception {
    save(name, signer, (token, key) -> {
      var p = prepared(new CAdESSignatureParameters(), key);
      p.setSignatureLevel(level("CAdES", first(level)));
      p.setSignaturePackaging(packaging);
      var service = new CAdESService(verifier);
      service.setTspSource(stamps);
      var document = input("report.csv");
      var value = token.sign(service.getDataToSign(document, p), p.getSignatureAlgorithm(), key);
      var signed = service.signDocument(document, p, value);
      if (!level.equals("lta")) {
        return signed;
      }
      service.setTspSource(archiveStamps);
      p.setSignatureLevel(level("CAdES", level));
      if (packaging == SignaturePackaging.DETACHED) {
        p.setDetachedContents(List.of(document));
      }
      return service.extendDocument(signed, p);
    });
  }

  private void asicCades(String name, String level, ASiCContainerType type, String... inputs) throws Exception {
    save(name, "person", (token, key) -> {
      var p = prepared(new ASiCWithCAdESSignatureParameters(), key);
      p.setSignatureLevel(level("CAdES", first(level)));
      p.aSiC().setContainerType(type);
      var service = new ASiCWithCAdESService(verifier);
      service.setTspSource(stamps);
      var documents = documents(inputs);
      var value = token.sign(service.getDataToSign(documents, p), p.getSignatureAlgorithm(), key);
      var signed = service.signDocument(documents, p, value);
      if (!level.equals("lta")) {
        return signed;
      }
      service.setTspSource(archiveStamps);
      p.setSignatureLevel(level("CAdES", level));
      return service.extendDocument(signed, p);
    });
  }

  private void asicXades(String name, String level, ASiCContainerType type, String... inputs) throws Exception {
    save(name, "person", (token, key) -> {
      var p = prepared(new ASiCWithXAdESSignatureParameters(), key);
      p.setSignatureLevel(level("XAdES", first(level)));
      p.aSiC().setContainerType(type);
      var service = new ASiCWithXAdESService(verifier);
      service.setTspSource(stamps);
      var documents = documents(inputs);
      var value = token.sign(service.getDataToSign(documents, p), p.getSignatureAlgorithm(), key);
      var signed = service.signDocument(documents, p, value);
      if (!level.equals("lta")) {
        return signed;
      }
      service.setTspSource(archiveStamps);
      p.setSignatureLevel(level("XAdES", level));
      return service.extendDocument(signed, p);
    });
  }

  private void xades(String name, String level, SignaturePackaging packaging, String input, String signer)
      throws Exception {
    save(name, signer, (token, key) -> {
      var p = prepared(new XAdESSignatureParameters(), key);
      p.setSignatureLevel(level("XAdES", first(level)));
      p.setSignaturePackaging(packaging);
      p.setEn319132(!name.contains("older"));
      if (signer.equals("rsa")) {
        p.setDigestAlgorithm(DigestAlgorithm.SHA512);
      }
      if (name.contains("inclusive")) {
        p.setSignedInfoCanonicalizationMethod(INCLUSIVE);
        p.setSignedPropertiesCanonicalizationMethod(INCLUSIVE);
      }
      var service = new XAdESService(verifier);
      service.setTspSource(stamps);
      var document = input(input);
      var value = token.sign(service.getDataToSign(document, p), p.getSignatureAlgorithm(), key);
      var signed = service.signDocument(document, p, value);
      if (!level.equals("lta")) {
        return signed;
      }
      service.setTspSource(archiveStamps);
      p.setSignatureLevel(level("XAdES", level));
      return service.extendDocument(signed, p);
    });
  }

  private List<DSSDocument> documents(String... names) {
    return List.of(names).stream().map(this::input).toList();
  }

  /** The level of the signature before its archive timestamp, which another authority makes. */
  private static String first(String level) {
    return level.equals("lta") ? "lt" : level;
  }

  private static SignatureLevel level(String form, String level) {
    return SignatureLevel.valueOf(form + "_BASELINE_" + level.toUpperCase());
  }

  private void all() throws Exception {
    for (var level : List.of("b", "t", "lt", "lta")) {
      pdf(level);
      cades("report.csv." + level + ".p7s", level, SignaturePackaging.DETACHED, "person");
      cades("enveloping-" + level + ".p7m", level, SignaturePackaging.ENVELOPING, "person");
      asicCades("cades-" + level + ".asice", level, ASiCContainerType.ASiC_E, "report.csv", "report.xml");
      asicXades("xades-" + level + ".asice", level, ASiCContainerType.ASiC_E, "report.csv", "report.xml");
      xades("enveloped-" + level + ".xml", level, SignaturePackaging.ENVELOPED, "report.xml", "person");
    }
    pdf("pades-t-pss.pdf", "t", "rsa", true);
    cades("report.csv.t-rsa.p7s", "t", SignaturePackaging.DETACHED, "rsa");
    asicCades("cades-t.asics", "t", ASiCContainerType.ASiC_S, "report.csv");
    asicCades("cades-several-t.asics", "t", ASiCContainerType.ASiC_S, "report.csv", "report.xml");
    asicXades("xades-t.asics", "t", ASiCContainerType.ASiC_S, "report.csv");
    xades("enveloped-older-t.xml", "t", SignaturePackaging.ENVELOPED, "report.xml", "person");
    xades("enveloped-inclusive-t.xml", "t", SignaturePackaging.ENVELOPED, "language.xml", "person");
    xades("enveloped-t-rsa.xml", "t", SignaturePackaging.ENVELOPED, "report.xml", "rsa");
    xades("enveloping-t.xml", "t", SignaturePackaging.ENVELOPING, "report.xml", "person");
    xades("detached-t.xml", "t", SignaturePackaging.DETACHED, "report.csv", "person");
    xades("internally-detached-t.xml", "t", SignaturePackaging.INTERNALLY_DETACHED, "named.xml", "person");
  }

  public static void main(String[] arguments) throws Exception {
    new SignSamples(Path.of(arguments[0]), arguments[1], arguments[2]).all();
  }
}
