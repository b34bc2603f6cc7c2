import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Says what EU DSS holds of the files below a folder, with a root trusted and nothing fetched.
 *
 * <p>Argument: a folder with root.crt, issuing.crt, root.crl, issuing.crl, content, and files/ to validate.
 */
public final class ValidateFiles {
  public static void main(String[] arguments) throws Exception {
    var folder = Path.of(arguments[0]);
    var anchors = new CommonTrustedCertificateSource();
    anchors.addCertificate(DSSUtils.loadCertificate(folder.resolve("root.crt").toFile()));
    var authorities = new CommonCertificateSource();
    authorities.addCertificate(DSSUtils.loadCertificate(folder.resolve("issuing.crt").toFile()));
    for (var file : sorted(folder.resolve("files").toFile())) {
      var verifier = new CommonCertificateVerifier();
      verifier.setTrustedCertSources(anchors);
      verifier.setAdjunctCertSources(authorities);
      if (!file.getName().contains("-LT")) {
        verifier.setCrlSource(
            new ExternalResourcesCRLSource(
                new FileDocument(folder.resolve("root.crl").toFile()),
                new FileDocument(folder.resolve("issuing.crl").toFile())));
      }
      var validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
      validator.setCertificateVerifier(verifier);
      if (file.getName().endsWith(".p7s")) {
        validator.setDetachedContents(List.of(new FileDocument(folder.resolve("content").toFile())));
      }
      var report = validator.validateDocument().getSimpleReport();
      for (var id : report.getSignatureIdList()) {
        System.out.printf("%s: %s %s %s%n", file.getName(), report.getSignatureFormat(id), report.getIndication(id),
            report.getSubIndication(id) == null ? "" : report.getSubIndication(id));
        report.getAdESValidationErrors(id).forEach(one -> System.out.println("  error: " + one.getValue()));
        report.getAdESValidationWarnings(id).forEach(one -> System.out.println("  warning: " + one.getValue()));
      }
      if (report.getSignatureIdList().isEmpty()) {
        System.out.printf("%s: no signature%n", file.getName());
      }
    }
  }

  private static List<File> sorted(File folder) {
    var files = folder.listFiles();
    Arrays.sort(files);
    return List.of(files);
  }
}
